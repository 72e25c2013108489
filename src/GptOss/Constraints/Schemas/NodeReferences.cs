using System.Globalization;
using System.Text.Json;

namespace GptOss.Constraints.Schemas;

/// <summary>Finds the schema that a <c>$ref</c> means, in the same document.</summary>
/// <param name="root">The whole schema of the caller.</param>
/// <param name="budget">Pays for the search.</param>
internal sealed class NodeReferences(JsonElement root, CompileBudget budget)
{
    // By pointer, since an element does not know whether it is the same one as another.
    private readonly Dictionary<string, Dictionary<string, SchemaValue>> _members = new(StringComparer.Ordinal);
    private readonly string? _id = IdOf(root);
    private Dictionary<string, SchemaValue>? _anchors;

    /// <summary>The value that a reference leads to.</summary>
    /// <exception cref="SchemaException">There is no such place.</exception>
    /// <exception cref="UnsupportedException">The reference leads out of the document.</exception>
    public SchemaValue Resolve(SchemaValue reference)
    {
        string text = reference.Text();
        int hash = text.IndexOf('#');
        string document = hash < 0 ? text : text[..hash];
        if (!IsThisDocument(document))
            throw new UnsupportedException(reference.Pointer, "to another document is not supported");
        string fragment = hash < 0 ? "" : Uri.UnescapeDataString(text[(hash + 1)..]);
        return fragment.Length == 0 ? new(root, "")
            : fragment[0] == '/' ? ByPointer(fragment, reference)
            : (_anchors ??= Anchors()).TryGetValue(fragment, out SchemaValue found) ? found
            : throw Dangling(reference);
    }

    // The document's own name, whole or as its last part, means the document itself.
    private bool IsThisDocument(string document) =>
        document.Length == 0
        || (
            _id is not null
            && (
                _id == document
                || (!document.Contains(':') && _id.EndsWith("/" + document.TrimStart('/'), StringComparison.Ordinal))
            )
        );

    private SchemaValue ByPointer(string pointer, SchemaValue reference)
    {
        SchemaValue at = new(root, "");
        foreach (string part in pointer[1..].Split('/'))
        {
            string name = SchemaPlace.Unescape(part);
            budget.Take(1);
            if (at.Element.ValueKind == JsonValueKind.Object && MembersOf(at).TryGetValue(name, out SchemaValue member))
                at = member;
            else if (
                at.Element.ValueKind == JsonValueKind.Array
                && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                && index < at.Element.GetArrayLength()
            )
                at = new(at.Element[index], SchemaPlace.Append(at.Pointer, index));
            else
                throw Dangling(reference);
        }
        return at;
    }

    private Dictionary<string, SchemaValue> MembersOf(SchemaValue value)
    {
        if (!_members.TryGetValue(value.Pointer, out Dictionary<string, SchemaValue>? members))
        {
            _members[value.Pointer] = members = new(value.Members(), StringComparer.Ordinal);
            budget.Take(members.Count);
        }
        return members;
    }

    // Names of places: "$anchor", and "$id" or "id" of older drafts where it is a fragment only.
    private Dictionary<string, SchemaValue> Anchors()
    {
        Dictionary<string, SchemaValue> anchors = new(StringComparer.Ordinal);
        var open = new Stack<SchemaValue>([new(root, "")]);
        while (open.TryPop(out SchemaValue at))
        {
            budget.Take(1);
            if (at.Element.ValueKind == JsonValueKind.Array)
                foreach (SchemaValue item in at.Items())
                    open.Push(item);
            if (at.Element.ValueKind != JsonValueKind.Object)
                continue;
            foreach ((string name, SchemaValue value) in at.Members())
            {
                if (value.Element.ValueKind != JsonValueKind.String)
                {
                    if (name is not ("enum" or "const"))
                        open.Push(value);
                }
                else if (name is "$anchor" or "$dynamicAnchor")
                    anchors.TryAdd(value.Text(), at);
                else if (name is "$id" or "id" && value.Text() is ['#', .. { Length: > 0 } anchor])
                    anchors.TryAdd(anchor, at);
            }
        }
        return anchors;
    }

    private static SchemaException Dangling(SchemaValue reference) =>
        SchemaErrors.At(reference.Pointer, $"leads to '{Printable.Name(reference.Text())}', which is not there");

    private static string? IdOf(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return null;
        List<KeyValuePair<string, SchemaValue>> members = new SchemaValue(root, "").Members();
        foreach (string name in (string[])["$id", "id"])
        foreach ((string found, SchemaValue id) in members)
            if (found == name && id.Element.ValueKind == JsonValueKind.String)
                return id.Text().TrimEnd('#');
        return null;
    }
}

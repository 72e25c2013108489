using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

string assembly = args[0],
    documentation = args[1];
HashSet<string> visible = PublicMembers.Of(assembly);
XDocument document = XDocument.Load(documentation, LoadOptions.PreserveWhitespace);
foreach (XElement member in document.Descendants("member").ToList())
{
    if (visible.Contains((string)member.Attribute("name")!))
        continue;
    if (member.NextNode is XText space)
        space.Remove();
    member.Remove();
}
document.Save(documentation, SaveOptions.DisableFormatting);

/// <summary>What another assembly can see of an assembly, by the ids of documentation comments.</summary>
internal static class PublicMembers
{
    public static HashSet<string> Of(string assembly)
    {
        var ids = new HashSet<string>();
        using var file = new PEReader(File.OpenRead(assembly));
        MetadataReader reader = file.GetMetadataReader();
        var names = new Names();
        foreach (TypeDefinition type in reader.TypeDefinitions.Select(reader.GetTypeDefinition))
        {
            if (!IsVisible(reader, type))
                continue;
            string name = Names.Of(reader, type);
            ids.Add("T:" + name);
            var methods = new HashSet<MethodDefinitionHandle>();
            foreach (MethodDefinitionHandle handle in type.GetMethods())
            {
                MethodDefinition method = reader.GetMethodDefinition(handle);
                if (!IsVisible(method.Attributes & MethodAttributes.MemberAccessMask))
                    continue;
                methods.Add(handle);
                ids.Add("M:" + Signed(reader, names, name, method));
            }
            foreach (FieldDefinition field in type.GetFields().Select(reader.GetFieldDefinition))
                if (IsVisible((MethodAttributes)(field.Attributes & FieldAttributes.FieldAccessMask)))
                    ids.Add("F:" + name + "." + reader.GetString(field.Name));
            foreach (PropertyDefinition property in type.GetProperties().Select(reader.GetPropertyDefinition))
            {
                PropertyAccessors accessors = property.GetAccessors();
                if (!methods.Contains(accessors.Getter) && !methods.Contains(accessors.Setter))
                    continue;
                ImmutableArray<string> indexes = property.DecodeSignature(names, null).ParameterTypes;
                ids.Add("P:" + name + "." + reader.GetString(property.Name) + Listed(indexes));
            }
            foreach (EventDefinition e in type.GetEvents().Select(reader.GetEventDefinition))
                if (methods.Contains(e.GetAccessors().Adder))
                    ids.Add("E:" + name + "." + reader.GetString(e.Name));
        }
        return ids;
    }

    private static string Signed(MetadataReader reader, Names names, string type, MethodDefinition method)
    {
        string name = reader.GetString(method.Name).Replace('.', '#');
        int generics = method.GetGenericParameters().Count;
        MethodSignature<string> signature = method.DecodeSignature(names, null);
        string result = name == "op_Implicit" || name == "op_Explicit" ? "~" + signature.ReturnType : "";
        return type + "." + name + (generics > 0 ? "``" + generics : "") + Listed(signature.ParameterTypes) + result;
    }

    private static string Listed(ImmutableArray<string> types) =>
        types.IsEmpty ? "" : "(" + string.Join(",", types) + ")";

    private static bool IsVisible(MetadataReader reader, TypeDefinition type)
    {
        TypeAttributes access = type.Attributes & TypeAttributes.VisibilityMask;
        if (type.GetDeclaringType().IsNil)
            return access == TypeAttributes.Public;
        bool isOpen =
            access == TypeAttributes.NestedPublic
            || access == TypeAttributes.NestedFamily
            || access == TypeAttributes.NestedFamORAssem;
        return isOpen && IsVisible(reader, reader.GetTypeDefinition(type.GetDeclaringType()));
    }

    private static bool IsVisible(MethodAttributes access) =>
        access == MethodAttributes.Public || access == MethodAttributes.Family || access == MethodAttributes.FamORAssem;

    // Types as they are written in the ids of documentation comments.
    private sealed class Names : ISignatureTypeProvider<string, object?>
    {
        public static string Of(MetadataReader reader, TypeDefinition type)
        {
            string name = reader.GetString(type.Name);
            if (!type.GetDeclaringType().IsNil)
                return Of(reader, reader.GetTypeDefinition(type.GetDeclaringType())) + "." + name;
            string space = reader.GetString(type.Namespace);
            return space.Length > 0 ? space + "." + name : name;
        }

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte kind) =>
            Of(reader, reader.GetTypeDefinition(handle));

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte kind)
        {
            TypeReference type = reader.GetTypeReference(handle);
            string name = reader.GetString(type.Name);
            if (type.ResolutionScope.Kind == HandleKind.TypeReference)
                return GetTypeFromReference(reader, (TypeReferenceHandle)type.ResolutionScope, kind) + "." + name;
            return reader.GetString(type.Namespace) + "." + name;
        }

        public string GetPrimitiveType(PrimitiveTypeCode code) => "System." + code;

        public string GetGenericTypeParameter(object? context, int index) => "`" + index;

        public string GetGenericMethodParameter(object? context, int index) => "``" + index;

        public string GetSZArrayType(string element) => element + "[]";

        public string GetArrayType(string element, ArrayShape shape) =>
            element + "[" + string.Join(",", Enumerable.Repeat("0:", shape.Rank)) + "]";

        public string GetByReferenceType(string element) => element + "@";

        public string GetPointerType(string element) => element + "*";

        public string GetPinnedType(string element) => element;

        public string GetModifiedType(string modifier, string unmodified, bool isRequired) => unmodified;

        public string GetFunctionPointerType(MethodSignature<string> signature) => "=FUNC";

        public string GetTypeFromSpecification(
            MetadataReader reader,
            object? context,
            TypeSpecificationHandle handle,
            byte kind
        ) => reader.GetTypeSpecification(handle).DecodeSignature(this, context);

        // The number of arguments behind each name says how many of them are its own.
        public string GetGenericInstantiation(string generic, ImmutableArray<string> arguments)
        {
            string[] parts = generic.Split('.');
            int used = 0;
            for (int i = 0; i < parts.Length; i++)
            {
                int tick = parts[i].IndexOf('`');
                if (tick < 0)
                    continue;
                int count = int.Parse(parts[i][(tick + 1)..], CultureInfo.InvariantCulture);
                parts[i] = parts[i][..tick] + "{" + string.Join(",", arguments.Skip(used).Take(count)) + "}";
                used += count;
            }
            return string.Join(".", parts);
        }
    }
}

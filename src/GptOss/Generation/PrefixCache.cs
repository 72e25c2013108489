using GptOss.Model;

namespace GptOss.Generation;

/// <summary>
/// The keys and values of past prompts and answers, found again by their tokens: a prompt that begins as an earlier one
/// is computed only from where it differs.
/// </summary>
/// <remarks>
/// <para>
/// A tree for each scope. A node is 64 tokens and the pages that hold their keys and values; its parent is the 64
/// tokens before. The last node of an answer may have fewer tokens. Tokens are compared, so that no collision of hashes
/// can matter. Keys and values depend on the tokens before and on nothing else (docs/decisions/0002), so that what is
/// found gives the same logits as computing it.
/// </para>
/// <para>
/// Pages stay until the pool needs room; then the node goes that was not used for the longest time. A node is never
/// older than its children, so that no child is left without its parent.
/// </para>
/// <para>
/// Any thread may call: the scheduler's, one that loads a saved prefix, and whoever rents a page and so makes room. The
/// lock is taken before the pool's, never after it, and a thread that holds it may come in again: adopting rents a
/// page.
/// </para>
/// </remarks>
internal sealed class PrefixCache
{
    private readonly Lock _lock = new();
    private readonly PagePool _pool;
    private readonly Dictionary<string, Node> _scopes = [];
    private readonly Node _shared;
    private readonly LinkedList<Node> _byUse = new();

    /// <param name="pool">The pool whose pages the prefixes hold.</param>
    public PrefixCache(PagePool pool)
    {
        _pool = pool;
        _shared = Root(scope: null);
        pool.MakeRoom = _ => TryFree();
    }

    /// <summary>Number of scopes, beside the shared one, in which something is known.</summary>
    internal int Scopes => _scopes.Count;

    /// <summary>
    /// Lets an empty sequence begin with the longest prefix of its tokens that is known, but for the last token, whose
    /// logits are wanted.
    /// </summary>
    /// <param name="sequence">A sequence that holds no positions.</param>
    /// <param name="tokens">The tokens that the sequence will hold.</param>
    /// <param name="scope">Prefixes are found within this scope; null for the shared one.</param>
    public void Adopt(KvSequence sequence, ReadOnlySpan<int> tokens, string? scope)
    {
        using Lock.Scope own = _lock.EnterScope();
        if (Find(scope) is not { } root)
            return;
        List<Node> path = [];
        int length = Math.Min(Walk(root, tokens, path), tokens.Length - 1);
        while (length > 0 && !HasPages(path, length))
            length = (length - 1) / PageGroup.Positions * PageGroup.Positions;
        if (length <= 0)
            return;
        int count = PageGroup.PagesOf(length);
        path.RemoveRange(count, path.Count - count);
        var pages = new ReadOnlyMemory<int>[sequence.Groups];
        for (int group = 0; group < pages.Length; group++)
            pages[group] = path.Select(node => node.Pages[group]).ToArray();
        // Before the adoption: the copy of the last page may need room, and then the oldest nodes go. If these nodes go
        // too, the sequence holds their pages already, but the nodes have no place in the order any more.
        Touch(path[^1]);
        if (!sequence.Adopt(pages, length) && length > PageGroup.Positions)
            AdoptFullPages(sequence, path, pages, length / PageGroup.Positions * PageGroup.Positions);
    }

    // Where no page is left for the copy of the last one, the whole pages before it are still worth having.
    private void AdoptFullPages(KvSequence sequence, List<Node> path, ReadOnlyMemory<int>[] pages, int length)
    {
        if (path.TrueForAll(node => node.Use is not null) && HasPages(path, length))
            sequence.Adopt(pages, length);
    }

    /// <summary>Keeps the pages of a sequence that are full, as far as they are not known yet.</summary>
    /// <param name="sequence">The sequence, after a pass.</param>
    /// <param name="tokens">The tokens that the sequence holds.</param>
    /// <param name="scope">The scope in which the prefix will be found; null for the shared one.</param>
    /// <param name="isComplete">Whether the sequence ends, so that its last page is kept too, full or not.</param>
    public void Keep(KvSequence sequence, ReadOnlySpan<int> tokens, string? scope, bool isComplete)
    {
        if (sequence.Length == 0)
            return;
        using Lock.Scope own = _lock.EnterScope();
        Node node = Find(scope) ?? NewScope(scope!);
        tokens = tokens[..sequence.Length];
        for (int index = 0; !tokens.IsEmpty; index++)
        {
            ReadOnlySpan<int> mine = tokens[..Math.Min(PageGroup.Positions, tokens.Length)];
            if (mine.Length < PageGroup.Positions && !isComplete)
                break;
            Node? next = node.Child(mine);
            if (next is null)
            {
                next = new Node(node, mine.ToArray(), new int[sequence.Groups]);
                Array.Fill(next.Pages, KvSequence.LetGo);
                node.Children.Add(next);
                next.Use = _byUse.AddLast(next);
            }
            Hold(next, sequence, index);
            node = next;
            tokens = tokens[mine.Length..];
        }
        Touch(node);
    }

    /// <summary>Releases all pages that no sequence holds.</summary>
    public void Clear()
    {
        while (TryFree()) { }
    }

    private static Node Root(string? scope) => new(null, [], []) { Scope = scope };

    private Node? Find(string? scope) => scope is null ? _shared : _scopes.GetValueOrDefault(scope);

    private Node NewScope(string scope) => _scopes[scope] = Root(scope);

    // Follows the tokens as far as they are known; the last node may agree with its first tokens only.
    private static int Walk(Node node, ReadOnlySpan<int> tokens, List<Node> path)
    {
        int length = 0;
        while (length < tokens.Length)
        {
            (Node? best, int common) = node.Longest(tokens[length..]);
            if (best is null)
                break;
            path.Add(best);
            length += common;
            if (common < PageGroup.Positions)
                break;
            node = best;
        }
        return length;
    }

    // Whether every layer finds the positions that the query behind the prefix sees.
    private bool HasPages(List<Node> path, int length)
    {
        int count = PageGroup.PagesOf(length);
        for (int group = 0; group < _pool.Groups.Length; group++)
        for (int index = _pool.Groups[group].FirstPageSeenFrom(length); index < count; index++)
            if (path[index].Pages[group] == KvSequence.LetGo)
                return false;
        return true;
    }

    private void Hold(Node node, KvSequence sequence, int index)
    {
        for (int group = 0; group < node.Pages.Length; group++)
            if (
                node.Pages[group] == KvSequence.LetGo
                && sequence.Pages(group)[index] is var page and not KvSequence.LetGo
            )
            {
                _pool.Keep(group, page);
                node.Pages[group] = page;
            }
    }

    // The node and all before it were used now; parents last, so that none is older than a child.
    private void Touch(Node node)
    {
        for (Node? used = node; used?.Use is { } place; used = used.Parent)
        {
            _byUse.Remove(place);
            _byUse.AddLast(place);
        }
    }

    private bool TryFree()
    {
        using Lock.Scope own = _lock.EnterScope();
        if (_byUse.First is not { } oldest)
            return false;
        Remove(oldest.Value);
        return true;
    }

    // The oldest node has no children, since every child is older than its parent.
    private void Remove(Node node)
    {
        _byUse.Remove(node.Use!);
        node.Use = null;
        node.Parent!.Children.Remove(node);
        if (node.Parent is { Scope: { } scope, Children.Count: 0 })
            _scopes.Remove(scope); // a host may name a scope for every user
        for (int group = 0; group < node.Pages.Length; group++)
            if (node.Pages[group] != KvSequence.LetGo)
                _pool.Drop(group, node.Pages[group]);
    }

    /// <summary>Up to 64 tokens behind those of a parent, and the page of each group that holds them.</summary>
    private sealed class Node(Node? parent, int[] tokens, int[] pages)
    {
        public Node? Parent => parent;

        /// <summary>The scope of a tree's root; null for the shared scope, and for nodes below a root.</summary>
        public string? Scope { get; init; }

        public int[] Tokens => tokens;

        /// <summary>For each group the page, or <see cref="KvSequence.LetGo"/> where none is kept.</summary>
        public int[] Pages => pages;

        public List<Node> Children { get; } = [];

        /// <summary>The place among all nodes by their last use; null for the root.</summary>
        public LinkedListNode<Node>? Use { get; set; }

        public Node? Child(ReadOnlySpan<int> next)
        {
            foreach (Node child in Children)
                if (next.SequenceEqual(child.Tokens))
                    return child;
            return null;
        }

        /// <summary>The child that agrees with the most of the next tokens, and with how many.</summary>
        public (Node? Child, int Common) Longest(ReadOnlySpan<int> next)
        {
            (Node? best, int most) = (null, 0);
            foreach (Node child in Children)
            {
                int common = next.CommonPrefixLength(child.Tokens);
                if (common > most)
                    (best, most) = (child, common);
            }
            return (best, most);
        }
    }
}

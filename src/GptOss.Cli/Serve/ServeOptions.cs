using System.CommandLine;
using System.Net;
using GptOss.AspNetCore;
using GptOss.Cli.Answer;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Serve;

/// <summary>The options of <c>serve</c>: which model, for whom, and how much.</summary>
internal sealed class ServeOptions
{
    private const string KeyVariable = "GPTOSS_API_KEY";

    private readonly Option<string?> _model = ModelChoice.Option();
    private readonly Option<string?> _adapter = AdapterChoice.Option();
    private readonly Option<string> _host = new("--host")
    {
        Description = "The address to listen on; the default is this machine alone.",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => "127.0.0.1",
    };
    private readonly Option<int?> _port = Values.Number("--port", "The port; the default is 8000.", 0, 65535);
    private readonly Option<string[]> _keys = List(
        "--api-key",
        $"A key that requests must bring; also ${KeyVariable}. Without one everybody may ask.",
        "KEY"
    );
    private readonly Option<string?> _keyFile = new("--api-key-file")
    {
        Description = "A file with keys, one a line, which is read again when it changes.",
        HelpName = "FILE",
    };
    private readonly Option<string[]> _aliases = List(
        "--alias",
        "A further name of the model; '*' takes every name.",
        "NAME"
    );
    private readonly Option<string[]> _origins = List(
        "--cors",
        "An origin whose pages may ask; '*' for all, with a key only.",
        "ORIGIN"
    );
    private readonly Option<string[]> _hosts = List(
        "--allowed-host",
        "A further name of this machine under which it is asked, as behind a proxy.",
        "NAME"
    );
    private readonly Option<bool> _insecure = new("--insecure")
    {
        Description = "Lets everybody who reaches another address than this machine's own ask without a key.",
    };
    private readonly Option<int?> _maxRunning = Values.Number(
        "--max-running",
        "Requests that are computed at the same time; the default is 4.",
        1,
        1024
    );
    private readonly Option<int?> _maxQueue = Values.Number(
        "--max-queue",
        "Requests that wait; the default is 64. More are refused.",
        1,
        100_000
    );
    private readonly Option<int?> _timeout = Values.Number(
        "--request-timeout",
        "Seconds that a request may take; the default is 3600.",
        1,
        1_000_000
    );
    private readonly Option<int?> _drain = Values.Number(
        "--drain",
        "Seconds that running requests may go on when the server ends; the default is 30.",
        0,
        86_400
    );
    private readonly Option<int?> _store = Values.Number(
        "--store",
        "Answers of Responses that are kept for later requests to build on; the default is 256.",
        0,
        100_000
    );
    private readonly Option<string?> _effort = new("--effort")
    {
        Description = "How long the model thinks where a request does not say; the default is medium.",
        HelpName = string.Join('|', AnswerOptions.Efforts),
    };
    private readonly Option<int?> _context = Values.Number(
        "--context",
        "The most tokens of prompt and answer together; the default is the model's.",
        1,
        int.MaxValue
    );
    private readonly Option<int?> _threads = Values.Number(
        "--threads",
        "Threads that compute; the default is one per processor.",
        1,
        1024
    );
    private readonly Option<string> _precision = PrecisionChoice.Option();
    private readonly Option<string> _format = KeyValueChoice.Option();
    private readonly Option<bool> _copy = CopyChoice.Option();
    private readonly Option<int?> _node = Values.Number(
        "--node",
        "The number of this server among several, in all ids.",
        0,
        255
    );
    private readonly Option<bool> _noPage = new("--no-page") { Description = "Leaves out the chat page." };
    private readonly Option<bool> _open = new("--open") { Description = "Opens the chat page in a browser." };
    private readonly Option<bool> _strict = new("--strict")
    {
        Description = "Refuses fields that the server does not know.",
    };
    private readonly Option<bool> _metrics = new("--metrics")
    {
        Description = "Gives figures of requests and tokens to Prometheus, at /metrics.",
    };
    private readonly Option<string?> _certificate = new("--cert")
    {
        Description = "A certificate in PEM, for https.",
        HelpName = "FILE",
    };
    private readonly Option<string?> _certificateKey = new("--cert-key")
    {
        Description = "The private key of the certificate in PEM, where its file does not hold it.",
        HelpName = "FILE",
    };
    private readonly Option<bool> _verbose = new("--verbose")
    {
        Description = "Writes what is asked and answered into the log too.",
    };

    public ServeOptions() => _effort.AcceptOnlyFromAmong([.. AnswerOptions.Efforts]);

    public IEnumerable<Option> All =>
        [
            _model,
            _adapter,
            _host,
            _port,
            _keys,
            _keyFile,
            _aliases,
            _origins,
            _hosts,
            _insecure,
            _maxRunning,
            _maxQueue,
            _timeout,
            _drain,
            _store,
            _effort,
            _context,
            _threads,
            _precision,
            _format,
            _copy,
            _node,
            _noPage,
            _open,
            _strict,
            _metrics,
            _certificate,
            _certificateKey,
            _verbose,
        ];

    /// <summary>Everything that the command line says.</summary>
    /// <exception cref="UsageException">Options do not fit each other.</exception>
    public ServeRequest Read(ParseResult parsed)
    {
        var request = new ServeRequest
        {
            Address = Address(parsed.GetRequiredValue(_host)),
            Port = parsed.GetValue(_port) ?? 8000,
            Hosts = Texts(parsed, _hosts),
            IsVerbose = parsed.GetValue(_verbose),
            HasMetrics = parsed.GetValue(_metrics),
            HasPage = !parsed.GetValue(_noPage),
            OpensPage = parsed.GetValue(_open),
            Certificate = Text(parsed, _certificate),
            CertificateKey = Text(parsed, _certificateKey),
            Model = new ModelOptions
            {
                Adapter = AdapterChoice.Folder(parsed.GetValue(_adapter)),
                CopyToMemory = parsed.GetValue(_copy),
                ContextLength = parsed.GetValue(_context),
                Threads = parsed.GetValue(_threads),
                Precision = PrecisionChoice.Of(parsed.GetValue(_precision)),
                KeyValueFormat = KeyValueChoice.Format(parsed.GetRequiredValue(_format)),
                MaxRunning = parsed.GetValue(_maxRunning) ?? 4,
                MaxQueuedRequests = parsed.GetValue(_maxQueue) ?? 64,
            },
            Server = server => Configure(server, parsed),
        };
        if (request.CertificateKey is not null && request.Certificate is null)
            throw new UsageException("--cert-key needs --cert, the certificate that it belongs to.");
        if (request is { OpensPage: true, HasPage: false })
            throw new UsageException("--open opens the page that --no-page leaves out: give one of the two.");
        RequireKey(parsed, request.Address);
        return request with { Path = ModelChoice.PathForAnswers(parsed.GetValue(_model)) };
    }

    private void Configure(GptOssServerOptions server, ParseResult parsed)
    {
        foreach (string key in Keys(parsed))
            server.ApiKeys.Add(key);
        foreach (string alias in Texts(parsed, _aliases))
            server.Aliases.Add(alias);
        foreach (string origin in Texts(parsed, _origins))
            server.Origins.Add(origin);
        server.ApiKeyFile = parsed.GetValue(_keyFile);
        server.Effort = parsed.GetValue(_effort) ?? server.Effort;
        server.IsStrict = parsed.GetValue(_strict);
        server.Node = parsed.GetValue(_node) ?? server.Node;
        server.MaxStored = parsed.GetValue(_store) ?? server.MaxStored;
        server.AnswersEveryPath = true;
        if (parsed.GetValue(_timeout) is { } timeout)
            server.MaxTime = TimeSpan.FromSeconds(timeout);
        if (parsed.GetValue(_drain) is { } drain)
            server.Drain = TimeSpan.FromSeconds(drain);
    }

    private void RequireKey(ParseResult parsed, IPAddress address)
    {
        if (Keys(parsed).Length > 0 || Text(parsed, _keyFile) is not null)
            return;
        if (Texts(parsed, _origins).Contains("*"))
            throw new UsageException("--cors '*' lets every page ask, so it needs a key: --api-key KEY.");
        if (!IPAddress.IsLoopback(address) && !parsed.GetValue(_insecure))
            throw new UsageException(
                $"At {address} other machines reach the server, so it needs a key: --api-key KEY. "
                    + "With --insecure it takes everybody."
            );
    }

    private string[] Keys(ParseResult parsed)
    {
        string? variable = Environment.GetEnvironmentVariable(KeyVariable);
        return [.. Texts(parsed, _keys), .. variable is { Length: > 0 } ? [variable] : (string[])[]];
    }

    private static string[] Texts(ParseResult parsed, Option<string[]> option)
    {
        string[] given = parsed.GetValue(option) ?? [];
        return given.Contains("") ? throw new UsageException($"{option.Name} is an empty text.") : given;
    }

    private static string? Text(ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) is not "" and var given
            ? given
            : throw new UsageException($"{option.Name} is an empty text.");

    private static IPAddress Address(string host) =>
        host == "localhost" ? IPAddress.Loopback
        : IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) ? address
        : throw new UsageException($"--host should be an address such as 127.0.0.1 or 0.0.0.0, but is '{host}'.");

    private static Option<string[]> List(string name, string description, string value) =>
        new(name) { Description = description, HelpName = value };
}

namespace GptOss.AspNetCore.Tests.Load;

/// <summary>Requests of all dialects that are right, and use most of what each offers.</summary>
internal static class GoodBodies
{
    private const string Schema = """
        {"type":"object","properties":{"size":{"enum":["small","large"]},"old":{"type":"boolean"},"n":{"type":"integer",
        "minimum":0,"maximum":9}},"required":["size","old"],"additionalProperties":false}
        """;

    public static IReadOnlyList<(string Path, string Body)> All { get; } =
    [
        (
            "/v1/chat/completions",
            """
            {"model":"gptoss-tiny","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":
            "text","text":"What is 1 + 1?"}]}],"max_completion_tokens":8,"temperature":0.7,"top_p":0.9,"top_k":40,
            "min_p":0.01,"seed":7,"frequency_penalty":0.5,"presence_penalty":-0.5,"repetition_penalty":1.1,"logit_bias":
            {"17":1.5},"stop":["\n\n","END"],"logprobs":true,"top_logprobs":3,"reasoning_effort":"low","user":"u",
            "metadata":{"a":"b"},"stream":true,"stream_options":{"include_usage":true},"return_progress":true}
            """
        ),
        (
            "/v1/chat/completions",
            $$$$"""
            {"messages":[{"role":"user","content":"Give me a city."}],"max_tokens":8,"response_format":{"type":
            "json_schema","json_schema":{"name":"city","strict":true,"schema":{{{{Schema}}}}}},"chat_template_kwargs":
            {"reasoning_effort":"high"},"include_reasoning":false,"n":1}
            """
        ),
        (
            "/v1/chat/completions",
            $$$$"""
            {"messages":[{"role":"user","content":"Weather?"},{"role":"assistant","content":null,"reasoning":"I look.",
            "tool_calls":[{"id":"c1","type":"function","function":{"name":"get","arguments":"{\"size\":\"small\"}"}},
            {"id":"c2","type":"custom","custom":{"name":"patch","input":"*** Begin"}}]},{"role":"tool","tool_call_id":
            "c1","content":"{\"t\":24}"},{"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"done"}]}],
            "tools":[{"type":"function","function":{"name":"get","description":"Gets it.","parameters":{{{{Schema}}}},
            "strict":true}},{"type":"custom","custom":{"name":"patch","format":{"type":"grammar","grammar":{"syntax":
            "lark","definition":"start: \"a\""}}} }],"tool_choice":"auto","parallel_tool_calls":false,
            "max_completion_tokens":8}
            """
        ),
        (
            "/v1/responses",
            """
            {"model":"gptoss-tiny","input":"What is 2 + 2?","instructions":"Be brief.","max_output_tokens":8,
            "reasoning":{"effort":"low","summary":"auto"},"include":["reasoning.encrypted_content"],"store":true,
            "metadata":{"a":"b"},"stream":true,"temperature":0,"top_p":1,"text":{"format":{"type":"text"}}}
            """
        ),
        (
            "/v1/responses",
            $$$$"""
            {"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Weather?"}]},{"type":
            "reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"I look."}]},{"type":
            "function_call","call_id":"c1","name":"get","arguments":"{}"},{"type":"function_call_output","call_id":"c1",
            "output":"24"},{"type":"custom_tool_call","call_id":"c2","name":"patch","input":"x"},{"type":
            "custom_tool_call_output","call_id":"c2","output":"done"}],"tools":[{"type":"function","name":"get",
            "parameters":{{{{Schema}}}},"strict":false},{"type":"custom","name":"patch"},{"type":"namespace","name":"m",
            "tools":[{"type":"function","name":"f"}]},{"type":"web_search"}],"tool_choice":"auto",
            "max_output_tokens":8,"store":false}
            """
        ),
        (
            "/v1/responses/input_tokens",
            """{"input":[{"role":"user","content":"Count me."}],"instructions":"Be brief."}"""
        ),
        (
            "/v1/messages",
            """
            {"model":"gptoss-tiny","max_tokens":8,"system":[{"type":"text","text":"Be brief.","cache_control":{"type":
            "ephemeral"}}],"messages":[{"role":"user","content":"What is 3 + 3?"}],"thinking":{"type":"enabled",
            "budget_tokens":1024},"temperature":1,"top_k":5,"stop_sequences":["END"],"stream":true,"metadata":{"user_id":
            "u"}}
            """
        ),
        (
            "/v1/messages",
            $$$$"""
            {"max_tokens":8,"messages":[{"role":"user","content":[{"type":"text","text":"Weather?"}]},{"role":
            "assistant","content":[{"type":"thinking","thinking":"I look.","signature":"g1.SSBsb29rLg=="},{"type":
            "tool_use","id":"t1","name":"get","input":{"size":"small"}}]},{"role":"user","content":[{"type":
            "tool_result","tool_use_id":"t1","content":[{"type":"text","text":"24"}],"is_error":true}]}],"tools":[
            {"name":"get","description":"Gets it.","input_schema":{{{{Schema}}}}},{"name":"late","input_schema":{"type":
            "object"},"defer_loading":true}],"tool_choice":{"type":"auto"},"output_config":{"effort":"low"}}
            """
        ),
        ("/v1/messages/count_tokens", """{"system":"Be brief.","messages":[{"role":"user","content":"Count me."}]}"""),
        ("/tokenize", """{"messages":[{"role":"user","content":"Count me."}]}"""),
    ];
}

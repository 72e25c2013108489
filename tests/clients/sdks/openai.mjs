// OpenAI's SDK: its own tool loop over Chat Completions, streamed and whole, and a loop over Responses.
import OpenAI from "openai";
import { base, check, model, parameters, question, tool } from "./loop.mjs";

const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: "none" });

for (const stream of [false, true]) {
  const runner = client.chat.completions.runTools({
    model,
    stream,
    messages: [{ role: "user", content: question }],
    tools: [
      {
        type: "function",
        function: { name: tool.name, description: tool.description, parameters, function: tool.run, parse: JSON.parse },
      },
    ],
  });
  check(`chat, ${stream ? "stream" : "whole"}`, await runner.finalContent());
}

const tools = [{ type: "function", name: tool.name, description: tool.description, parameters, strict: true }];
for (const previous of [false, true]) {
  const first = await client.responses.create({ model, input: question, tools });
  const call = first.output.find((item) => item.type === "function_call");
  const result = { type: "function_call_output", call_id: call.call_id, output: tool.run(JSON.parse(call.arguments)) };
  const input = previous ? [result] : [{ role: "user", content: question }, ...first.output, result];
  const second = await client.responses.create({
    model,
    tools,
    input,
    ...(previous ? { previous_response_id: first.id } : { store: false }),
  });
  check(`responses, whole, ${previous ? "stored" : "sent again"}`, second.output_text);
}

const asked = client.responses.stream({ model, input: question, tools });
const first = await asked.finalResponse();
const call = first.output.find((item) => item.type === "function_call");
const answered = client.responses.stream({
  model,
  tools,
  previous_response_id: first.id,
  input: [{ type: "function_call_output", call_id: call.call_id, output: tool.run(JSON.parse(call.arguments)) }],
});
check("responses, stream", (await answered.finalResponse()).output_text);

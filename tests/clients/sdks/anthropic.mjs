// Anthropic's SDK: its own tool loop, streamed and whole, with thinking and without.
import Anthropic from "@anthropic-ai/sdk";
import { base, check, model, parameters, question, tool } from "./loop.mjs";

const client = new Anthropic({ baseURL: base, apiKey: "none" });
for (const stream of [false, true])
  for (const thinking of [{ type: "disabled" }, { type: "enabled", budget_tokens: 1024 }]) {
    const runner = client.beta.messages.toolRunner({
      model,
      stream,
      thinking,
      max_tokens: 4096,
      messages: [{ role: "user", content: question }],
      tools: [{ name: tool.name, description: tool.description, input_schema: parameters, run: tool.run, parse: (x) => x }],
    });
    const last = await runner.runUntilDone();
    const text = last.content.findLast((block) => block.type === "text").text;
    check(`${stream ? "stream" : "whole"}, thinking ${thinking.type}`, text);
  }

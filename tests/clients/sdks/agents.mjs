// OpenAI's Agents SDK, over both of its APIs, streamed and whole.
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool as define } from "@openai/agents";
import { z } from "zod";
import { base, check, model, question, tool } from "./loop.mjs";

setTracingDisabled(true);
for (const useResponses of [true, false]) {
  const runner = new Runner({
    modelProvider: new OpenAIProvider({ apiKey: "none", baseURL: `${base}/v1`, useResponses }),
  });
  const agent = new Agent({
    name: "helper",
    instructions: "Help.",
    model,
    tools: [define({ ...tool, parameters: z.object({ city: z.string() }), execute: tool.run })],
  });
  for (const stream of [false, true]) {
    const result = await runner.run(agent, question, { stream });
    if (stream) await result.completed;
    check(`${useResponses ? "responses" : "chat"}, ${stream ? "stream" : "whole"}`, result.finalOutput);
  }
}

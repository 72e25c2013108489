// The AI SDK with the providers that speak one of our dialects.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenResponses } from "@ai-sdk/open-responses";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import * as ai from "ai";
import { z } from "zod";
import { base, check, model, question, tool } from "./loop.mjs";

const { generateText, streamText, tool: define } = ai;
const stopAfter = ai.stepCountIs ?? ai.isStepCount; // its name in version 6, and in 7
globalThis.AI_SDK_LOG_WARNINGS = false; // of models that it does not know
const options = { name: "gptoss", baseURL: `${base}/v1`, apiKey: "none" };
const openai = createOpenAI(options);
const models = {
  "openai-compatible": createOpenAICompatible(options)(model),
  "openai, responses": openai.responses(model),
  "openai, chat": openai.chat(model),
  "open-responses": createOpenResponses({ name: "gptoss", url: `${base}/v1/responses`, apiKey: "none" })(model),
  anthropic: createAnthropic(options)(model),
};
for (const [name, model] of Object.entries(models)) {
  const request = {
    model,
    prompt: question,
    tools: {
      get_weather: define({
        description: tool.description,
        inputSchema: z.object({ city: z.string() }),
        execute: tool.run,
      }),
    },
    stopWhen: stopAfter(3),
  };
  check(`${name}, whole`, (await generateText(request)).text);
  check(`${name}, stream`, await streamText(request).text);
}

// LangChain's client for OpenAI, over both of its APIs.
import { HumanMessage } from "@langchain/core/messages";
import { tool as define } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";
import { base, check, model, question, tool } from "./loop.mjs";

const weather = define(tool.run, { ...tool, schema: z.object({ city: z.string() }) });
for (const useResponsesApi of [false, true]) {
  const chat = new ChatOpenAI({
    model,
    apiKey: "none",
    configuration: { baseURL: `${base}/v1` },
    useResponsesApi,
  }).bindTools([weather]);
  const whole = (history) => chat.invoke(history);
  const stream = async (history) => {
    let all;
    for await (const chunk of await chat.stream(history)) all = all?.concat(chunk) ?? chunk;
    return all;
  };
  for (const ask of [whole, stream]) {
    const history = [new HumanMessage(question)];
    const asked = await ask(history);
    history.push(asked);
    for (const call of asked.tool_calls) history.push(await weather.invoke(call));
    check(`${useResponsesApi ? "responses" : "chat"}, ${ask.name}`, (await ask(history)).text);
  }
}

// npm install openai
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "@URL@/v1",
  apiKey: process.env.GPTOSS_API_KEY ?? "none",
  timeout: 3_600_000, // milliseconds
});
const stream = await client.chat.completions.create({
  model: "@MODEL@",
  messages: [{ role: "user", content: "What is 345 + 678?" }],
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? "");
console.log();

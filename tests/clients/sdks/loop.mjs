// What every SDK is asked, and what has to come of it: the script calls the tool, and says what the tool said.
export const base = process.argv[2];
export const model = "gpt-oss-20b";
export const question = 'CALL get_weather {"city":"Lisbon"}';
export const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const tool = {
  name: "get_weather",
  description: "The weather of a city now.",
  run: ({ city }) => `24 degrees in ${city}`,
};

/** Ends the process with an error unless the answer is the tool's result. */
export function check(how, answer) {
  const expected = "The tool said: 24 degrees in Lisbon";
  if (answer?.trim() !== expected) throw new Error(`${how}: expected '${expected}', found '${answer}'`);
  console.log(`${how}: ok`);
}

# pip install openai
import os

from openai import OpenAI

client = OpenAI(base_url="@URL@/v1", api_key=os.environ.get("GPTOSS_API_KEY", "none"), timeout=3600)
question = {"role": "user", "content": "What is 345 + 678?"}
for chunk in client.chat.completions.create(model="@MODEL@", messages=[question], stream=True):
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print()

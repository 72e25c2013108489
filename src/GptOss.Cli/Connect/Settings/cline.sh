cline auth --provider openai --apikey none --modelid "@MODEL@" --baseurl "@URL@/v1"

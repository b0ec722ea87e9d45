import { wireRequest } from '../api/message-json.ts';
import type { Running } from '../contract/noun.ts';
import { operation } from '../contract/operations.ts';
import { saveStream } from '../io/new-file.ts';
import { tell } from '../output.ts';

/** The command `audit export`. */
export async function exportEvents(
  { api, options }: Running,
  request: Record<string, unknown>,
): Promise<void> {
  const bytes = api.stream(wireRequest(operation('ExportEvents'), request).path);
  if (options.out === undefined) {
    for await (const chunk of bytes)
      if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve));
    return;
  }
  const out = String(options.out);
  await saveStream(out, bytes);
  tell(`events written to ${out}`);
  if (request.format === 'jsonl')
    tell(`verify it anywhere: claviger audit verify ${out} --head HEAD --keys KEYS`);
}

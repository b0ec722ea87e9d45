import { wireRequest } from '@claviger/api-client/message-json';
import { operation } from '@claviger/api-client/operations';
import { saveStream } from '@claviger/terminal/new-file';
import { tell } from '@claviger/terminal/output';
import type { Running } from '../contract/noun.ts';

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

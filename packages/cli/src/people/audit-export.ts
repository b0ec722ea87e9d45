import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CommandError, EXIT } from '../exit-codes.ts';
import { tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { createFile } from './new-file.ts';
import { withSession } from './session.ts';

export interface ExportOptions extends ConnectionOptions {
  readonly format: 'jsonl' | 'json' | 'csv';
  readonly out?: string;
  readonly from?: string;
  readonly to?: string;
  readonly bom?: boolean;
}

/** The command `audit export`. A file that did not come whole does not stay. */
export async function exportEvents(options: ExportOptions): Promise<void> {
  const { format, out, from, to, bom } = options;
  if (format === 'jsonl' && (from !== undefined || to !== undefined))
    throw new CommandError(
      'jsonl holds the whole log: leave --from and --to out, or take csv or json',
      EXIT.usage,
    );
  if (bom && format !== 'csv')
    throw new CommandError('--bom is for csv alone: give --format csv, or leave it out', EXIT.usage);
  const query = new URLSearchParams({
    format,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(bom ? { bom: 'true' } : {}),
  });
  await withSession(options, async ({ api }) => {
    const bytes = api.stream(`/api/v1/audit/events/export?${query}`);
    if (out === undefined) {
      for await (const chunk of bytes) {
        if (!process.stdout.write(chunk))
          await new Promise((resolve) => process.stdout.once('drain', resolve));
      }
      return;
    }
    const file = await createFile(out);
    await pipeline(bytes, file.createWriteStream({ flush: true })).catch(async (error: unknown) => {
      await rm(out, { force: true });
      throw error;
    });
    tell(`the events are in ${out}`);
    if (format === 'jsonl') tell(`verify it anywhere: claviger audit verify ${out} --head HEAD --keys KEYS`);
  });
}

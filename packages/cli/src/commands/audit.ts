import { type Command, Option } from 'commander';
import type { EventListOptions } from '../people/audit-events.ts';
import type { ExportOptions } from '../people/audit-export.ts';
import type { ProofOptions, SaveOptions } from '../people/audit-proofs.ts';
import type { AuditVerifyOptions } from '../people/audit-verify.ts';
import {
  nounCommand,
  peopleCommand,
  positive,
  several,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';

const events = () => import('../people/audit-events.ts');
const proofs = () => import('../people/audit-proofs.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'audit', 'the record of everything, and its proof');
  registerList(noun);
  const show = peopleCommand(
    noun,
    'show <event-id>',
    'show one event',
    'claviger audit show 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11',
  );
  withConnectionOptions(show).action(async (eventId: string, options: ConnectionOptions) =>
    (await events()).showEvent(eventId, options),
  );
  registerExport(noun);
  const head = peopleCommand(
    noun,
    'head',
    'show the newest signed tree head; kept elsewhere, it proves later that nothing was rewritten',
    'claviger audit head --save 2026-03-01.head.json',
  ).option('--save <file>', 'write it to a new file');
  withConnectionOptions(head).action(async (options: SaveOptions) => (await proofs()).treeHead(options));
  const keys = peopleCommand(
    noun,
    'keys',
    'show the public keys under which heads and receipts are signed',
    'claviger audit keys --save audit-keys.json',
  ).option('--save <file>', 'write them to a new file');
  withConnectionOptions(keys).action(async (options: SaveOptions) => (await proofs()).publicKeys(options));
  const proof = peopleCommand(
    noun,
    'proof <event-id>',
    'prove that an event stands in the log, checked here',
    'claviger audit proof 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --keys audit-keys.json',
  )
    .option('--tree-size <n>', 'against the head of this size; the newest when not given', positive)
    .option('--keys <file>', 'keys to believe; without it, those that the server names now');
  withConnectionOptions(proof).action(async (eventId: string, options: ProofOptions) => {
    process.exitCode = await (await proofs()).proveEvent(eventId, options);
  });
  registerVerify(noun);
}

function registerList(noun: Command): void {
  const list = peopleCommand(
    noun,
    'list',
    'list events, the newest first',
    'claviger audit list --outcome denied --from 2026-03-01',
  )
    .option('--from <time>', 'from this day or time on')
    .option('--to <time>', 'up to this day or time')
    .option('--user <user>', 'what this user did, by user name or id')
    .option('--action <action>', 'only this action, e.g. vault.entry.retrieved')
    .addOption(new Option('--outcome <outcome>', 'only these').choices(['allowed', 'denied', 'failed']))
    .option('--resource <resource>', 'about this resource, by name or id')
    .option('--subject <id>', 'about the object with this id')
    .option('--search <text>', 'only those that name this');
  withConnectionOptions(withPaging(list)).action(async (options: EventListOptions) =>
    (await events()).listEvents(options),
  );
}

function registerExport(noun: Command): void {
  const command = peopleCommand(
    noun,
    'export',
    'write events to a file; jsonl holds the whole log and can be verified offline',
    'claviger audit export --format jsonl --out audit.jsonl',
  )
    .addOption(
      new Option('--format <format>', 'which form').choices(['jsonl', 'json', 'csv']).default('jsonl'),
    )
    .option('--out <file>', 'new file; standard output when not given')
    .option('--from <time>', 'from this day or time on (csv, json)')
    .option('--to <time>', 'up to this day or time (csv, json)')
    .option(
      '--bom',
      'begin with a byte order mark (csv): for spreadsheets that show accented letters wrongly without it',
    );
  withConnectionOptions(command).action(async (options: ExportOptions) => {
    const { exportEvents } = await import('../people/audit-export.ts');
    await exportEvents(options);
  });
}

function registerVerify(noun: Command): void {
  peopleCommand(
    noun,
    'verify <file>',
    'verify an export offline: no server is asked, none is trusted',
    'claviger audit verify audit.jsonl --head 2026-03-01.head.json --keys audit-keys.json --receipt db.receipt',
  )
    .option(
      '--head <file>',
      'tree heads kept elsewhere (JSON, or one a line); may be given several times',
      several,
    )
    .option('--keys <file>', 'public keys to believe (from `claviger audit keys --save`, or PEM)')
    .option(
      '--receipt <file>',
      'a receipt whose event must stand in the log; may be given several times',
      several,
    )
    .addOption(
      new Option('-o, --output <format>', 'how to print the answer')
        .choices(['table', 'json'])
        .default('table'),
    )
    .action(async (file: string, options: AuditVerifyOptions) => {
      const { auditVerify } = await import('../people/audit-verify.ts');
      process.exitCode = await auditVerify(file, options);
    });
}

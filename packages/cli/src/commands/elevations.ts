import { type Command, Option } from 'commander';
import {
  nounCommand,
  peopleCommand,
  positive,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type {
  ActuateOptions,
  ElevationListOptions,
  RequestOptions,
  RespondOptions,
  RevokeOptions,
} from '../people/elevations.ts';

const work = () => import('../people/elevations.ts');
const ID = '0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11';

export function register(program: Command): void {
  const noun = nounCommand(program, 'elevations', 'who wants to be administrator for a while, and who may');
  registerReading(noun);
  const request = peopleCommand(
    noun,
    'request <device>',
    'ask to be administrator of a device, by host name or id',
    'claviger elevations request WIN-ACCT-04 --for 30m --reason "printer driver"',
  )
    .requiredOption('--reason <text>', 'why')
    .option('--for <duration>', 'how long; as long as is usual when absent');
  withConnectionOptions(request).action(async (device: string, options: RequestOptions) =>
    (await work()).requestElevation(device, options),
  );
  for (const decision of ['approve', 'deny'] as const) {
    const command = peopleCommand(
      noun,
      `${decision} <request>`,
      `${decision} a pending request, not one's own`,
      `claviger elevations ${decision} ${ID}${decision === 'approve' ? ' --for 30m' : ' --reason "not ours"'}`,
    ).option('--reason <text>', 'why; it stands in the audit log');
    if (decision === 'approve')
      command.option('--for <duration>', 'how long it holds; as long as is usual when absent');
    withConnectionOptions(command).action(async (id: string, options: RespondOptions) =>
      (await work()).respond(decision, id, options),
    );
  }
  const revoke = peopleCommand(
    noun,
    'revoke <request>',
    'end an elevation that is in force',
    `claviger elevations revoke ${ID} --reason "no longer needed"`,
  ).requiredOption('--reason <text>', 'why; it stands in the audit log');
  withConnectionOptions(revoke).action(async (id: string, options: RevokeOptions) =>
    (await work()).revoke(id, options),
  );
  const actuate = peopleCommand(
    noun,
    'actuate <request>',
    'send the go signal to the device, once',
    `claviger elevations actuate ${ID}`,
  )
    .option('--device <device>', 'the device, by host name or id; that of the request when absent')
    .option('--timeout-ms <n>', 'for how long the agent may try; 8000 when absent', positive);
  withConnectionOptions(actuate).action(async (id: string, options: ActuateOptions) =>
    (await work()).actuate(id, options),
  );
}

function registerReading(noun: Command): void {
  const list = peopleCommand(
    noun,
    'list',
    'list requests, the newest first',
    'claviger elevations list --status pending --site HQ',
  )
    .addOption(
      new Option('--status <status>', 'only those in this status').choices([
        'pending',
        'approved',
        'auto_approved',
        'denied',
        'expired',
        'revoked',
        'actuating',
      ]),
    )
    .addOption(
      new Option('--flow <kind>', 'only those of this kind').choices([
        'uac_intercept',
        'tech_jit_admin',
        'ai_tool_action',
      ]),
    )
    .option('--device <device>', 'only those of a device, by host name or id')
    .option('--site <site>', 'only those of a site, by name or id')
    .option('--from <time>', 'from this day or time on')
    .option('--to <time>', 'up to this day or time')
    .option('--search <text>', 'only those with this in the user, host or path');
  withConnectionOptions(withPaging(list)).action(async (options: ElevationListOptions) =>
    (await work()).listElevations(options),
  );
  const active = peopleCommand(
    noun,
    'active',
    'list what is in force now, what ends first on top; 500 at most',
    'claviger elevations active',
  );
  withConnectionOptions(active).action(async (options: ConnectionOptions) =>
    (await work()).activeElevations(options),
  );
  const show = peopleCommand(
    noun,
    'show <request>',
    'show one, with what was decided and by whom',
    `claviger elevations show ${ID}`,
  );
  withConnectionOptions(show).action(async (id: string, options: ConnectionOptions) =>
    (await work()).showElevation(id, options),
  );
}

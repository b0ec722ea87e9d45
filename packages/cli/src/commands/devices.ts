import { type Command, Option } from 'commander';
import { nounCommand, peopleCommand, withConnectionOptions, withPaging } from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type { PolicyLevel, PolicyListOptions, PolicySetOptions } from '../people/device-policy.ts';
import type {
  DecommissionOptions,
  DeviceListOptions,
  EnrolOptions,
  UpdateOptions,
} from '../people/devices.ts';
import { type SecretOutputOptions, withTokenOutput } from '../people/secret-options.ts';

const work = () => import('../people/devices.ts');
const policies = () => import('../people/device-policy.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'devices', 'machines whose agents report prompts and act on decisions');
  const list = peopleCommand(noun, 'list', 'list devices', 'claviger devices list --site HQ')
    .option('--search <text>', 'only those with this in their host name')
    .option('--site <site>', 'only those of a site, by name or id')
    .option('--group <group>', 'only those in a group, by name or id')
    .addOption(new Option('--status <status>', 'only such ones').choices(['active', 'decommissioned']));
  withConnectionOptions(withPaging(list)).action(async (options: DeviceListOptions) =>
    (await work()).listDevices(options),
  );
  const show = peopleCommand(
    noun,
    'show <device>',
    'show one, by host name or id, and whether it captures prompts',
    'claviger devices show WIN-ACCT-04',
  );
  withConnectionOptions(show).action(async (device: string, options: ConnectionOptions) =>
    (await work()).showDevice(device, options),
  );
  const enrol = peopleCommand(
    noun,
    'enrol <hostname>',
    'add a device; the token of its agent is shown once',
    'claviger devices enrol WIN-ACCT-04 --site HQ --os windows --output-file ./device.token',
  )
    .option('--site <site>', 'where it stands, by name or id')
    .addOption(new Option('--os <os>', 'what it runs').choices(['windows', 'linux', 'macos']))
    .option('--resource <resource>', 'the resource of the vault that is this machine, by name or id');
  withConnectionOptions(withTokenOutput(enrol)).action(async (hostname: string, options: EnrolOptions) =>
    (await work()).enrolDevice(hostname, options),
  );
  const update = peopleCommand(
    noun,
    'update <device>',
    'give it another host name, or move it to another site; its agent is of that site at once',
    'claviger devices update WIN-ACCT-04 --site Harbour',
  )
    .option('--hostname <name>', 'new host name')
    .option('--site <site>', 'where it stands now, by name or id')
    .option('--no-site', 'it stands in no site');
  withConnectionOptions(update).action(async (device: string, options: UpdateOptions) =>
    (await work()).updateDevice(device, options),
  );
  registerTokens(noun);
  registerPolicy(noun);
  const decommission = peopleCommand(
    noun,
    'decommission <device>',
    'retire a device for good: its token ends at once',
    'claviger devices decommission WIN-ACCT-04 --reason "scrapped"',
  ).requiredOption('--reason <text>', 'why; it stands in the audit log');
  withConnectionOptions(decommission).action(async (device: string, options: DecommissionOptions) =>
    (await work()).decommissionDevice(device, options),
  );
}

function registerTokens(noun: Command): void {
  const rotate = peopleCommand(
    noun,
    'rotate-token <device>',
    'make a new token for the agent, shown once; the former ends at once',
    'claviger devices rotate-token WIN-ACCT-04 --output-file ./device.token',
  );
  withConnectionOptions(withTokenOutput(rotate)).action(
    async (device: string, options: ConnectionOptions & SecretOutputOptions) =>
      (await work()).rotateAgentToken(device, options),
  );
  const revoke = peopleCommand(
    noun,
    'revoke-token <device>',
    'shut the agent out at once, until it is given a new token',
    'claviger devices revoke-token WIN-ACCT-04',
  );
  withConnectionOptions(revoke).action(async (device: string, options: ConnectionOptions) =>
    (await work()).revokeAgentToken(device, options),
  );
}

function registerPolicy(devices: Command): void {
  const noun = devices
    .command('policy')
    .description('whether prompts are captured: what each level says; the closest to a device wins')
    .showHelpAfterError('(claviger devices policy --help)');
  const get = peopleCommand(
    noun,
    'get',
    'what levels say; what comes of it for one device: claviger devices show',
    'claviger devices policy get --site HQ',
  );
  withConnectionOptions(withPaging(withLevel(get))).action(async (options: PolicyListOptions) =>
    (await policies()).getPolicies(options),
  );
  const set = peopleCommand(
    noun,
    'set',
    'say it for one level',
    'claviger devices policy set --site HQ --uac-interception off',
  ).addOption(
    new Option('--uac-interception <state>', 'whether devices capture elevation prompts')
      .choices(['on', 'off'])
      .makeOptionMandatory(),
  );
  withConnectionOptions(withLevel(set)).action(async (options: PolicySetOptions) =>
    (await policies()).setPolicy(options),
  );
  const clear = peopleCommand(
    noun,
    'clear',
    'say nothing any more for one level: the next one decides',
    'claviger devices policy clear --site HQ',
  );
  withConnectionOptions(withLevel(clear)).action(async (options: PolicyLevel) =>
    (await policies()).clearPolicy(options),
  );
}

function withLevel(command: Command): Command {
  return command
    .option('--device <device>', 'the level of a device, by host name or id')
    .option('--group <group>', 'that of a group of devices, by name or id')
    .option('--site <site>', 'that of a site, by name or id')
    .option('--organization', 'that of the whole tenant')
    .option('--partner', 'that of whoever runs the installation, for every tenant');
}

import type { Command } from 'commander';
import { nounCommand, peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type { SiemTestOptions } from '../people/siem.ts';

const work = () => import('../people/siem.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'siem', 'passing the audit log on to your own systems');
  const status = peopleCommand(
    noun,
    'status',
    'show how far each target has got, and what waits',
    'claviger siem status',
  );
  withConnectionOptions(status).action(async (options: ConnectionOptions) =>
    (await work()).siemStatus(options),
  );
  const test = peopleCommand(
    noun,
    'test',
    'send a marked event to the targets on the real way, and say what came of it',
    'claviger siem test --target soc',
  ).option('--target <name>', 'only this one');
  withConnectionOptions(test).action(async (options: SiemTestOptions) => {
    process.exitCode = await (await work()).testSiem(options);
  });
}

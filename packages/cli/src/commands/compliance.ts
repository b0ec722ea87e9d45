import { type Command, Option } from 'commander';
import {
  nounCommand,
  peopleCommand,
  several,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { AttestationOptions } from '../people/compliance-attestation.ts';
import type { DownloadOptions, ReportListOptions, ReportOptions } from '../people/compliance-reports.ts';
import type { ScheduleCreateOptions, ScheduleListOptions } from '../people/compliance-schedules.ts';
import type { ComplianceVerifyOptions } from '../people/compliance-verify.ts';
import type { ConnectionOptions } from '../people/connection.ts';

const SECTIONS = 'events, access, rotations, approvals, break-glass, keys, controls';
const BOM = 'begin the CSV files with a byte order mark: for spreadsheets that show accented letters wrongly';
const PERIODS = ['day', 'week', 'month', 'quarter'];
const reports = () => import('../people/compliance-reports.ts');
const schedules = () => import('../people/compliance-schedules.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'compliance', 'packages for auditors, that verify without any server');
  registerReports(noun);
  registerVerify(noun);
  const attestation = peopleCommand(
    noun,
    'attestation',
    'show the state of all controls, signed; or verify one that was saved',
    'claviger compliance attestation --save attestation.json',
  )
    .option('--save <file>', 'write it to a new file')
    .option('--verify <file>', 'verify a saved one offline: no server is asked')
    .option(
      '--keys <file>',
      'public keys to believe (from `claviger audit keys --save`, or PEM); for --verify',
    );
  withConnectionOptions(attestation).action(async (options: AttestationOptions) => {
    const { attestation } = await import('../people/compliance-attestation.ts');
    process.exitCode = await attestation(options);
  });
  registerSchedules(noun);
}

function registerReports(noun: Command): void {
  const report = peopleCommand(
    noun,
    'report',
    'have a package made of whole days (UTC)',
    'claviger compliance report --from 2026-01-01 --to 2026-03-31 --out q1.zip',
  )
    .requiredOption('--from <day>', 'first day, e.g. 2026-01-01')
    .requiredOption('--to <day>', 'last day, included')
    .option('--section <section>', `only these: ${SECTIONS}; may be given several times`, several)
    .option('--bom', BOM)
    .option('--out <file>', 'wait for it and write it to a new file');
  withConnectionOptions(report).action(async (options: ReportOptions) =>
    (await reports()).orderReport(options),
  );
  const list = peopleCommand(noun, 'list', 'list packages and how far they are', 'claviger compliance list');
  withConnectionOptions(withPaging(list)).action(async (options: ReportListOptions) =>
    (await reports()).listReports(options),
  );
  const download = peopleCommand(
    noun,
    'download <report-id>',
    'fetch a package',
    'claviger compliance download 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --out q1.zip',
  ).requiredOption('--out <file>', 'new file');
  withConnectionOptions(download).action(async (reportId: string, options: DownloadOptions) =>
    (await reports()).downloadReport(reportId, options),
  );
}

function registerVerify(noun: Command): void {
  peopleCommand(
    noun,
    'verify <file>',
    'verify a package offline: no server is asked, none is trusted',
    'claviger compliance verify q1.zip --keys audit-keys.json --head 2026-03-01.head.json',
  )
    .option('--keys <file>', 'public keys to believe (from `claviger audit keys --save`, or PEM)')
    .option('--head <file>', 'tree heads kept elsewhere; may be given several times', several)
    .addOption(
      new Option('-o, --output <format>', 'how to print the answer')
        .choices(['table', 'json'])
        .default('table'),
    )
    .action(async (file: string, options: ComplianceVerifyOptions) => {
      const { complianceVerify } = await import('../people/compliance-verify.ts');
      process.exitCode = await complianceVerify(file, options);
    });
}

function registerSchedules(program: Command): void {
  const noun = nounCommand(program, 'schedules', 'packages that are made again and again');
  const list = peopleCommand(noun, 'list', 'list schedules', 'claviger compliance schedules list');
  withConnectionOptions(withPaging(list)).action(async (options: ScheduleListOptions) =>
    (await schedules()).listSchedules(options),
  );
  const create = peopleCommand(
    noun,
    'create <name>',
    'have packages made at these times',
    'claviger compliance schedules create monthly --cron "0 6 1 * *" --time-zone Europe/Berlin --period month',
  )
    .requiredOption('--cron <pattern>', 'minute, hour, day of the month, month, day of the week')
    .option('--time-zone <zone>', 'IANA name; UTC when not given')
    .addOption(new Option('--period <period>', 'the last whole one before each run').choices(PERIODS))
    .option('--section <section>', `only these: ${SECTIONS}; may be given several times`, several)
    .option('--bom', BOM);
  withConnectionOptions(create).action(async (name: string, options: ScheduleCreateOptions) =>
    (await schedules()).createSchedule(name, options),
  );
  const remove = peopleCommand(
    noun,
    'delete <schedule-id>',
    'end a schedule',
    'claviger compliance schedules delete 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11',
  );
  withConnectionOptions(remove).action(async (scheduleId: string, options: ConnectionOptions) =>
    (await schedules()).deleteSchedule(scheduleId, options),
  );
}

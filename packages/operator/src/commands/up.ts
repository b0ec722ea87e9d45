import { mkdir } from 'node:fs/promises';
import {
  dataDirOf,
  environmentOf,
  otlpEndpointOf,
  rateLimitsOf,
  wholeNumber,
} from '@claviger/installation/host-settings';
import { several } from '@claviger/terminal/command-options';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { type Command, Option } from 'commander';

interface UpOptions {
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly port: string;
  readonly replicas: string;
  readonly openTarget: readonly string[];
  readonly servicesDir?: string;
}

/**
 * Refuses invalid addresses of targets. The import is here because it would slow down the list of commands.
 */
async function checkTargets(openTargets: readonly string[]): Promise<void> {
  const { parseEndpoint } = await import('@claviger/outbound');
  for (const value of openTargets)
    if (parseEndpoint(value) === undefined)
      throw new CommandError(
        `--open-target ${value}: must be one HOST:PORT, such as 127.0.0.1:5432 or [::1]:22`,
        EXIT.usage,
      );
}

export function register(program: Command): void {
  program
    .command('up')
    .description('start everything on this machine: PostgreSQL, Redis, NATS, all services')
    .option('--detach', 'return when everything is ready, and keep it running')
    .option('--json', 'print exactly one JSON object: url, caCertificate, setupUrl, dataDir, processes')
    .option('--port <number>', 'HTTPS port of the first gateway on 127.0.0.1; 0 uses a free port', '7101')
    .option('--replicas <number>', 'processes of each service; additional gateways use free ports', '1')
    .option(
      '--open-target <host:port>',
      'allow targets at this address of this machine; may be given several times, also while it runs',
      several,
      [],
    )
    .addOption(new Option('--services-dir <folder>').hideHelp())
    .addHelpText(
      'after',
      `
Environment:
  CLAVIGER_DATA_DIR        data folder (.claviger in the clone)
  CLAVIGER_ENVIRONMENT     development (default), production or test
  CLAVIGER_RATE_LIMITS     off: no request limits, for measurements; refused in production
  CLAVIGER_OTLP_ENDPOINT   destination of traces, e.g. http://127.0.0.1:4318
  CLAVIGER_POSTGRES_URL, CLAVIGER_REDIS_URL, CLAVIGER_NATS_URL   servers to use instead of starting them

Examples:
  claviger up --detach --json --port 7201
  claviger up --detach --open-target 127.0.0.1:5432     rotate accounts of a PostgreSQL on this machine
  claviger up --detach --replicas 3     three replicas of each service; one leads its duties: claviger cluster status`,
    )
    .action(async (options: UpOptions) => {
      await checkTargets(options.openTarget);
      const environment = environmentOf();
      const rateLimits = rateLimitsOf();
      if (environment === 'production' && rateLimits === 'off') {
        throw new CommandError(
          'CLAVIGER_RATE_LIMITS=off is refused in production: unset it, or choose another CLAVIGER_ENVIRONMENT',
          EXIT.usage,
        );
      }
      const otlpEndpoint = await otlpEndpointOf();
      const port = wholeNumber(options.port, '--port', 0, 65_535);
      const replicas = wholeNumber(options.replicas, '--replicas', 1, 16);
      const dataDir = dataDirOf();
      await mkdir(dataDir, { recursive: true, mode: 0o711 }).catch((cause: Error) => {
        throw new CommandError(
          `the data folder ${dataDir} cannot be created (${cause.message}): choose another one with CLAVIGER_DATA_DIR`,
          EXIT.error,
          { cause },
        );
      });
      const { up } = await import('../up.ts');
      await up(
        {
          dataDir,
          environment,
          port,
          replicas,
          rateLimits,
          openTargets: options.openTarget,
          ...(otlpEndpoint === undefined ? {} : { otlpEndpoint }),
          ...(options.servicesDir === undefined ? {} : { servicesDir: options.servicesDir }),
        },
        options.detach ?? false,
        options.json ?? false,
      );
    });
}

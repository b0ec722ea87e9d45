import type { Command } from 'commander';
import { nounCommand, peopleCommand, withConnectionOptions, withPaging } from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type {
  BillingOptions,
  TenantChangeOptions,
  TenantCreateOptions,
  TenantListOptions,
} from '../people/tenants.ts';

const work = () => import('../people/tenants.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'tenants', 'tenants of this installation, for whoever runs it');
  const list = peopleCommand(noun, 'list', 'list tenants', 'claviger tenants list --status suspended')
    .option('--search <text>', 'only those that name this')
    .option('--status <status>', 'only active, suspended, deprovisioning or deprovisioned ones');
  withConnectionOptions(withPaging(list)).action(async (options: TenantListOptions) =>
    (await work()).listTenants(options),
  );
  const show = peopleCommand(noun, 'show <tenant>', 'show one, by name or id', 'claviger tenants show acme');
  withConnectionOptions(show).action(async (tenant: string, options: ConnectionOptions) =>
    (await work()).showTenant(tenant, options),
  );
  const create = peopleCommand(
    noun,
    'create <name>',
    'provision a tenant and print the one-time link for its first administrator',
    'claviger tenants create acme --display-name "Acme Inc."',
  ).option('--display-name <name>', 'name to show');
  withConnectionOptions(create).action(async (name: string, options: TenantCreateOptions) =>
    (await work()).createTenant(name, options),
  );
  for (const [verb, description] of [
    ['suspend', 'keep everybody of a tenant out, at once'],
    ['reinstate', 'lift a suspension, or take a deprovisioning back'],
    ['deprovision', 'order that a tenant be wound down, or confirm the order of another administrator'],
  ] as const) {
    const command = peopleCommand(
      noun,
      `${verb} <tenant>`,
      description,
      `claviger tenants ${verb} acme --reason "contract"`,
    ).requiredOption('--reason <text>', 'why; it stands in the audit logs');
    if (verb === 'reinstate') command.option('--name <name>', 'where its own was given to another tenant');
    withConnectionOptions(command).action(async (tenant: string, options: TenantChangeOptions) =>
      (await work()).changeTenant(verb, tenant, options),
    );
  }
  const health = peopleCommand(
    noun,
    'health <tenant>',
    'ask every service about a tenant',
    'claviger tenants health acme',
  );
  withConnectionOptions(health).action(async (tenant: string, options: ConnectionOptions) =>
    (await work()).tenantHealth(tenant, options),
  );
  const record = peopleCommand(
    noun,
    'deletion-record <tenant>',
    'show the signed proof that the keys of a tenant were destroyed',
    'claviger tenants deletion-record 0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11',
  );
  withConnectionOptions(record).action(async (tenant: string, options: ConnectionOptions) =>
    (await work()).deletionRecord(tenant, options),
  );
  const billing = peopleCommand(
    noun,
    'billing [tenant]',
    'list billing events of a tenant, or of all',
    'claviger tenants billing acme --from 2026-01-01 --to 2026-01-31',
  )
    .option('--from <time>', 'from this day or time on')
    .option('--to <time>', 'up to and including this day or time')
    .option('--kind <kind>', 'only those of this kind, e.g. credential.disclosed');
  withConnectionOptions(withPaging(billing)).action(
    async (tenant: string | undefined, options: BillingOptions) => (await work()).billing(tenant, options),
  );
}

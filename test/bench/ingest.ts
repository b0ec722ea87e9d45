import { randomUUID } from 'node:crypto';
import type { Network, TestTenant } from '@claviger/testkit';
import { type Device, enrolDevice, promptOf } from '../support/elevation.ts';

export interface IngestResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly statuses: Readonly<Record<string, number>>;
}

/** A device may report ten prompts a second. */
const DEVICES = 128;
const WORKERS = 16;

const hashOf = (n: number): string => n.toString(16).padStart(64, '0');

/** A fifth each by hash, signer and user, folder, group and window, tool and tier. */
function ruleNo(n: number): object {
  const base = {
    id: randomUUID(),
    name: `rule ${n}`,
    priority: 1 + (n % 200),
    authorIds: [],
    coSignerIds: [randomUUID()],
  };
  switch (n % 5) {
    case 0:
      return { ...base, verdict: 'auto_approve', matchHash: hashOf(n) };
    case 1:
      return {
        ...base,
        verdict: 'auto_approve',
        matchSigner: `Vendor ${n}`,
        matchUser: `acme\\user${n % 300}`,
      };
    case 2:
      return { ...base, verdict: 'auto_deny', matchPathGlob: `C:\\Apps\\app${n}\\*\\setup*.exe` };
    case 3: {
      const timeWindow = { start: '22:00', end: '06:00', timezone: 'Europe/Berlin' };
      // Rules with a group make workflow ask auth for unknown groups, unless another condition excludes the
      // rule.
      return {
        ...base,
        verdict: 'require_approval',
        matchAdGroup: `Group ${n}`,
        matchSigner: `Vendor ${n}`,
        timeWindow,
      };
    }
    default:
      return { ...base, verdict: 'auto_approve', matchToolName: `tool-${n}`, matchRiskTier: n % 4 };
  }
}

/** Replaces all rules of the tenant, by SQL because ten thousand calls would take too long. */
export async function putRules(network: Network, { id }: TestTenant, count: number): Promise<void> {
  const rules = Array.from({ length: count }, (_, n) => ruleNo(n));
  await network.superuser(async (db) => {
    await db.query('SET search_path = workflow');
    const { rows } = await db.query<{ version: number }>(
      `INSERT INTO rule_set_heads (tenant_id, version) VALUES ($1, 1)
       ON CONFLICT (tenant_id) DO UPDATE SET version = rule_set_heads.version + 1 RETURNING version`,
      [id],
    );
    const version = rows[0]!.version;
    await db.query(
      'UPDATE rule_revisions SET until_version = $2 WHERE tenant_id = $1 AND until_version IS NULL',
      [id, version],
    );
    await db.query(
      `INSERT INTO rule_revisions (tenant_id, kind, object_id, from_version, body)
       SELECT $1, 'rule', body ->> 'id', $2, body FROM jsonb_array_elements($3) AS body`,
      [id, version, JSON.stringify(rules)],
    );
    await db.query('ANALYZE rule_revisions');
  });
}

export async function enrolDevices({ admin }: TestTenant): Promise<Device[]> {
  const devices: Device[] = [];
  for (let n = 0; n < DEVICES; n += 1) devices.push(await enrolDevice(admin.client));
  return devices;
}

/** Prompts over the whole path of an agent: TLS, gateway, auth, rules, commit with event and audit record. */
export async function ingestPrompts(
  devices: readonly Device[],
  rules: number,
  seconds: number,
): Promise<IngestResult> {
  const times: number[] = [];
  const statuses: Record<string, number> = {};
  const endMs = performance.now() + seconds * 1_000;
  let n = 0;
  const work = async (own: readonly Device[]): Promise<void> => {
    for (let turn = 0; performance.now() < endMs; turn += 1) {
      const { id, agent } = own[turn % own.length]!;
      // About half of the prompts match a rule.
      n += 1;
      const about = (n * 7_919) % (rules * 2);
      const start = performance.now();
      const { body } = await agent.call(
        'POST',
        `/api/v1/agents/${id}/elevation-requests`,
        promptOf({
          subject_username: `acme\\user${about % 300}`,
          target_executable_hash: hashOf(about),
          target_executable_signer: `Vendor ${about}`,
          target_executable_path: `C:\\Apps\\app${about}\\v1\\setup.exe`,
        }),
      );
      times.push(performance.now() - start);
      const status = String((body as { status?: unknown }).status);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  const each = devices.length / WORKERS;
  await Promise.all(
    Array.from({ length: WORKERS }, (_, worker) => work(devices.slice(worker * each, (worker + 1) * each))),
  );
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)]!;
  return { perSecond: times.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), statuses };
}

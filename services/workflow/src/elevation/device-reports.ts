import { createHash } from 'node:crypto';
import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { Reader, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { canonicalJson } from '@claviger/merkle';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

type Prompt = elevation.IngestElevationRequestRequest;

const DAY_MS = 86_400_000;
const AHEAD_MS = 3_600_000;
/** Longer than the maximum age of a report plus the tolerance for a device's clock. */
const KEPT_MS = DAY_MS + 2 * AHEAD_MS;

/** The identity of an observation of a device. */
export interface Report {
  readonly key: string;
  /** SHA-256 of the observation: an id names one observation. */
  readonly content: string;
  /** Without id and time, a repetition is recognised only while the request is pending. */
  readonly isTimeless: boolean;
}

/** Throws `invalid` for an id without a time: its retention would be unknown. */
export function reportOf(prompt: Prompt): Report {
  const { id: _id, reportId, observedAt, commandLine, ...observed } = prompt;
  if (reportId !== '' && observedAt === '')
    throw ClavigerError.invalid('/observed_at', 'is required if the report has a report_id');
  const time = observedAt === '' ? null : new Date(observedAt).toISOString();
  const content = sha256(
    canonicalJson({
      ...observed,
      pid: observed.pid ?? null,
      commandLine: sha256(commandLine),
      observedAt: time,
    }),
  );
  return { key: reportId === '' ? content : `id:${reportId}`, content, isTimeless: time === null };
}

/** Throws `invalid` for an observation older than a day or in the future, by the database's clock. */
export function refuseUntimely({ observedAt }: Prompt, nowMs: number): void {
  if (observedAt === '') return;
  const ageMs = nowMs - Date.parse(observedAt);
  if (ageMs > DAY_MS)
    throw new ClavigerError('invalid', 'The observation is older than a day.', {
      code: 'observation_too_old',
      fields: [
        {
          pointer: '/observed_at',
          detail: 'is more than a day ago: the prompt is no longer shown',
        },
      ],
      hint: 'Report a prompt while it is shown, and check the clock of the device.',
    });
  if (ageMs < -AHEAD_MS)
    throw ClavigerError.invalid(
      '/observed_at',
      'is more than an hour in the future: set the clock of the device',
    );
}

export interface KnownReport {
  readonly content: string;
  /** Null: a rule ignored the prompt. */
  readonly requestId: string | null;
}

/**
 * The request of a known observation; undefined for a new one. Throws `conflict` if its id was used for
 * another observation.
 */
export async function findReport(
  reader: Reader<WorkflowSchema>,
  deviceId: string,
  { key, content, isTimeless }: Report,
): Promise<KnownReport | undefined> {
  const row = await reader
    .selectFrom('device_reports as report')
    .leftJoin('elevation_requests as request', (join) =>
      join.onRef('request.tenant_id', '=', 'report.tenant_id').onRef('request.id', '=', 'report.request_id'),
    )
    .select(['report.content_sha256 as content', 'report.request_id as requestId'])
    .where('report.device_id', '=', deviceId)
    .where('report.report_key', '=', key)
    .where('report.kept_until', '>', sql<Date>`clock_timestamp()`)
    .$if(isTimeless, (query) =>
      query.where(sql<boolean>`request.status = 'pending' AND request.expires_at > clock_timestamp()`),
    )
    .executeTakeFirst();
  if (row && row.content !== content) throw reused();
  return row;
}

/**
 * Claims an observation for one request. Returns false if another report, possibly a concurrent one, has
 * claimed it. `requestId` is null for an ignored prompt.
 */
export async function claimReport(
  tx: Tx<WorkflowSchema>,
  {
    tenantId,
    deviceId,
    requestId,
    nowMs,
  }: { tenantId: string; deviceId: string; requestId: string | null; nowMs: number },
  { key, content, isTimeless }: Report,
): Promise<boolean> {
  // The statement must see the request as it is after the wait for a concurrent report.
  if (isTimeless)
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`${deviceId} ${key}`}, 0))`.execute(tx);
  const { rows } = await sql`
    INSERT INTO device_reports AS known (tenant_id, device_id, report_key, content_sha256, request_id, kept_until)
    VALUES (${tenantId}::uuid, ${deviceId}::uuid, ${key}, ${content}, ${requestId}::uuid, ${new Date(nowMs + KEPT_MS)}::timestamptz)
    ON CONFLICT (tenant_id, device_id, report_key) DO UPDATE
      SET content_sha256 = excluded.content_sha256, request_id = excluded.request_id, kept_until = excluded.kept_until
      WHERE known.kept_until <= clock_timestamp() OR (${isTimeless}::boolean AND NOT EXISTS (
        SELECT FROM elevation_requests r WHERE r.tenant_id = known.tenant_id AND r.id = known.request_id
          AND r.status = 'pending' AND r.expires_at > clock_timestamp()))
    RETURNING request_id`.execute(tx);
  return rows.length > 0;
}

function reused(): ClavigerError {
  return new ClavigerError('conflict', 'The report_id was used for another observation.', {
    code: 'report_id_reused',
    hint: 'Give each observation an id of its own, and repeat a report without changing it.',
  });
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

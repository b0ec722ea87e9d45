import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { deviceId } from './devices.ts';
import { parseMinutes } from './duration.ts';
import { escapeText } from './escape.ts';
import { listLimited } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';
import { siteId } from './sites.ts';

export interface ElevationListOptions extends ConnectionOptions, ListOptions {
  readonly status?: string;
  readonly flow?: string;
  readonly device?: string;
  readonly site?: string;
  readonly from?: string;
  readonly to?: string;
  readonly search?: string;
}
export interface RespondOptions extends ConnectionOptions {
  readonly reason?: string;
  readonly for?: string;
}
export interface RevokeOptions extends ConnectionOptions {
  readonly reason: string;
}
export interface ActuateOptions extends ConnectionOptions {
  readonly device?: string;
  readonly timeoutMs?: number;
}
export interface RequestOptions extends ConnectionOptions {
  readonly reason: string;
  readonly for?: string;
}

type Elevation = elevation.ElevationRequest;
const service = elevation.ElevationRequestsService;

const columns: readonly Column<Elevation>[] = [
  ['ID', (row) => row.id],
  ['STATUS', (row) => row.status],
  ['WHO', (row) => row.subjectUsername],
  ['WHAT', whatText],
  ['WHERE', (row) => [row.deviceHostname, row.siteName].filter(Boolean).join(' at ')],
  ['SINCE', (row) => timeText(row.requestedAt)],
  ['UNTIL', (row) => timeText(row.expiresAt)],
  ['DECIDED BY', decidedText],
];

export function listElevations(options: ElevationListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { status = '', flow = '', from = '', to = '', search = '', device, site } = options;
    const filter = {
      status,
      flowType: flow,
      from,
      to,
      search,
      ...(device === undefined ? {} : { deviceId: await deviceId(api, device) }),
      ...(site === undefined ? {} : { siteId: await siteId(api, site) }),
    };
    const read = async (page: { limit: number; cursor?: string }) => {
      const answer = await api.call(service.listElevationRequests, { ...filter, ...page });
      return { items: answer.requests, total: answer.pagination?.total ?? 0, nextCursor: answer.nextCursor };
    };
    showList(await listLimited(read, options), columns, format);
  });
}

export function activeElevations(options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { active } = await api.call(service.listActiveElevations, {});
    showList({ items: active, totalItems: active.length }, columns, format);
  });
}

export function showElevation(id: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { request } = await api.call(service.getElevationRequest, { id });
    show(request!, format);
  });
}

/** A technician asks to be administrator of a device. */
export function requestElevation(device: string, options: RequestOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { request } = await api.call(service.requestElevation, {
      deviceId: await deviceId(api, device),
      reason: options.reason,
      ...durationOf(options.for),
    });
    show(request!, format);
  });
}

/** Bound to what was shown here where the request names an action: another action needs another approval. */
export function respond(decision: 'approve' | 'deny', id: string, options: RespondOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { request } = await api.call(service.getElevationRequest, { id });
    const seen = request!;
    const who = seen.subjectUsername ?? 'somebody';
    tell(escapeText(`${who} asks for ${whatText(seen)} on ${seen.deviceHostname ?? 'no device'}`));
    const answer = await api.call(service.respondToElevation, {
      id,
      decision,
      reason: options.reason ?? '',
      ...(decision === 'approve' ? durationOf(options.for) : {}),
      ...(seen.actionDigest === undefined ? {} : { actionDigest: seen.actionDigest }),
    });
    answered(answer, format);
  });
}

export function revoke(id: string, options: RevokeOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    answered(await api.call(service.revokeElevation, { id, reason: options.reason }), format);
  });
}

/** The go signal to the device, which is that of the request unless another is named. */
export function actuate(id: string, options: ActuateOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const device =
      options.device === undefined
        ? ((await api.call(service.getElevationRequest, { id })).request!.deviceId ?? '')
        : await deviceId(api, options.device);
    const queued = await api.call(elevation.DeviceActuationService.actuateElevation, {
      id: device,
      elevationRequestId: id,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    });
    if (format === 'json') return showJson(queued);
    say(`command ${queued.commandId} waits for the agent`);
  });
}

function durationOf(text: string | undefined): { durationMinutes?: number } {
  return text === undefined ? {} : { durationMinutes: parseMinutes(text, '--for') };
}

function answered(answer: { id: string; status: string }, format: OutputFormat): void {
  if (format === 'json') return showJson(answer);
  say(`${escapeText(answer.id)} is ${escapeText(answer.status)}`);
}

function whatText(row: Elevation): string {
  return (
    row.targetExecutablePath ?? row.toolName ?? (row.flowType === 'tech_jit_admin' ? 'administrator' : '')
  );
}

function decidedText(row: Elevation): string {
  const rule = row.pamRuleName ?? row.matchedPolicyName;
  return row.approvedByName ?? row.deniedByName ?? rule ?? row.decisionSource ?? '';
}

function show(row: Elevation, format: OutputFormat): void {
  if (format === 'json') return showJson(row);
  say(
    fieldsText([
      ['request', row.id],
      ['status', row.status],
      ['kind', row.flowType],
      ['who', row.subjectUsername],
      ['what', whatText(row)],
      ['signed by', row.targetExecutableSigner],
      ['SHA-256', row.targetExecutableHash],
      ['started by', row.parentImage],
      ['where', [row.deviceHostname, row.siteName].filter(Boolean).join(' at ')],
      ['risk tier', row.riskTier],
      ['action', row.actionDigest],
      ['reason', row.reason],
      ['asked', timeText(row.requestedAt)],
      ['decided', timeText(row.decidedAt)],
      ['decided by', decidedText(row)],
      ['because', row.decisionReason],
      ['until', timeText(row.expiresAt)],
      ['revoked by', row.revokedByName],
      ['on the device', row.actuationOutcome],
    ]),
  );
}

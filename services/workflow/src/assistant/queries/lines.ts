import type * as vault from '@claviger/contracts/vault/v1/vault';
import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { plainLine } from '../plain-text.ts';

type Shown<M> = { readonly [K in keyof M]?: M[K] };

/** `2026-05-01 14:00 UTC` */
export function time(iso: string | undefined): string {
  return iso ? `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC` : 'never';
}

/** `db-prod (entry app)`, or only the part that is known. */
export function subject(of: { readonly resourceName?: string; readonly entryName?: string }): string {
  const [resource, entry] = [plainLine(of.resourceName ?? ''), plainLine(of.entryName ?? '')];
  return resource && entry && resource !== entry ? `${resource} (entry ${entry})` : resource || entry;
}

export function requestLine(request: Shown<workflow.AccessRequest>, by: boolean): string {
  const decisions = (request.decisions ?? []).map(
    (each) =>
      `${each.decision === 'deny' ? 'denied' : 'approved'} by ${plainLine(each.userName)}${each.comment ? `: "${plainLine(each.comment)}"` : ''}`,
  );
  return [
    `${request.status}: ${subject(request)} for ${request.durationMinutes} minutes`,
    ...(by ? [`asked by ${plainLine(request.requesterName ?? '')}`] : []),
    `asked ${time(request.createdAt)}`,
    ...(request.reason ? [`reason "${plainLine(request.reason)}"`] : []),
    ...(request.status === 'pending' ? [`lapses ${time(request.expiresAt)}`] : []),
    ...decisions,
    `request ${request.id}`,
  ].join(', ');
}

export function grantLine(grant: Shown<workflow.Grant>, by: boolean): string {
  const ended = grant.status !== 'active' && grant.status !== 'activating';
  return [
    `${grant.status}: ${subject(grant)}`,
    ...(by ? [`of ${plainLine(grant.userName ?? '')}`] : []),
    ended ? `ended ${time(grant.endedAt)}` : `ends ${time(grant.expiresAt)}`,
    grant.credentialsDeliveredAt ? `retrieved ${time(grant.credentialsDeliveredAt)}` : 'never retrieved',
    `grant ${grant.id}`,
  ].join(', ');
}

export function elevationLine(row: elevation.ElevationRequest): string {
  const place = [row.deviceHostname, row.siteName].filter(Boolean).map((each) => plainLine(each!));
  return [
    `${row.status}: ${plainLine(row.targetExecutablePath ?? row.toolName ?? 'administrator')}`,
    `for ${plainLine(row.subjectUsername ?? 'an unknown user')}`,
    ...(place.length > 0 ? [`on ${place.join(' at ')}`] : []),
    `asked ${time(row.requestedAt)}`,
    ...(row.expiresAt ? [`${row.status === 'pending' ? 'lapses' : 'ends'} ${time(row.expiresAt)}`] : []),
    `elevation ${row.id}`,
  ].join(', ');
}

export function entryLine(entry: Shown<vault.Entry>): string {
  return [
    `${plainLine(entry.name ?? '')}${entry.resourceName ? ` on ${plainLine(entry.resourceName)}` : ''}`,
    ...(entry.username ? [`user name ${plainLine(entry.username)}`] : []),
    `rotation ${entry.rotationState}`,
    `last rotated ${time(entry.lastRotatedAt)}`,
    ...(entry.nextRotationAt ? [`next ${time(entry.nextRotationAt)}`] : []),
    `entry ${entry.id}`,
  ].join(', ');
}

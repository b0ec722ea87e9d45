import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { say } from '../output.ts';
import { minutesText } from './duration.ts';
import { escapeText } from './escape.ts';
import { type Column, fieldsText, type OutputFormat, showJson, timeText } from './show.ts';

type AccessRequest = workflow.AccessRequest;

export const requestColumns: readonly Column<AccessRequest>[] = [
  ['ID', (row) => row.id],
  ['STATUS', (row) => row.status],
  ['WHO', (row) => row.requesterName || row.requesterId],
  ['WHAT', subjectText],
  ['FOR', (row) => minutesText(row.approvedDurationMinutes || row.durationMinutes)],
  ['SINCE', (row) => timeText(row.createdAt)],
  ['REASON', (row) => row.reason],
];

export function subjectText(row: { readonly resourceName: string; readonly entryName: string }): string {
  return [row.resourceName, row.entryName].filter((name) => name !== '').join(' / ');
}

/** ` by bob ("fine")`, or nothing. */
export function decisionsText({ decisions }: AccessRequest): string {
  const all = decisions.map(
    ({ userName, userId, comment }) => `${userName || userId}${comment === '' ? '' : ` ("${comment}")`}`,
  );
  return all.length === 0 ? '' : escapeText(` by ${all.join(', ')}`);
}

/** Of a request to lower a protection or a policy, e.g. `requires a grant`: what would no longer hold. */
function changeText({ change, policyChange }: AccessRequest): string {
  if (policyChange) return `${stepsText(policyChange.before)} → ${stepsText(policyChange.after)}`;
  const { before, after } = change ?? {};
  if (!before || !after) return '';
  return [
    before.requiresGrant && !after.requiresGrant ? 'requires a grant' : '',
    before.requiresReason && !after.requiresReason ? 'requires a reason' : '',
  ]
    .filter((text) => text !== '')
    .join(', ');
}

/** E.g. `owners: 2 of dba or 0190…; security: 1 of anybody who decides`. */
function stepsText(policy: workflow.AccessPolicy | undefined): string {
  return (policy?.steps ?? [])
    .map(({ name, quorum, approverRoles, approverUserIds }) => {
      const approvers = [...approverRoles, ...approverUserIds].join(' or ');
      return `${name}: ${quorum} of ${approvers || 'anybody who decides'}`;
    })
    .join('; ');
}

export function showRequest(request: AccessRequest, format: OutputFormat): void {
  if (format === 'json') return showJson(request);
  say(
    fieldsText([
      ['request', request.id],
      ['status', request.status],
      ['who', request.requesterName || request.requesterId],
      ['what', subjectText(request)],
      ['lowers', changeText(request)],
      ['reason', request.reason],
      ['ticket', request.ticket],
      ['asked for', minutesText(request.durationMinutes)],
      [
        'approved for',
        request.approvedDurationMinutes > 0 ? minutesText(request.approvedDurationMinutes) : '',
      ],
      ...request.steps.map(
        (step, index) =>
          [
            `step ${index + 1}`,
            `${step.name} ${step.state}, ${step.approvals} of ${step.quorum} approvals`.trim(),
          ] as const,
      ),
      ...request.decisions.map(
        (each) =>
          [
            each.decision,
            `${each.userName || each.userId} ${timeText(each.decidedAt)} ${each.comment}`.trim(),
          ] as const,
      ),
      ['lapses', request.status === 'pending' ? timeText(request.expiresAt) : ''],
      ['grant', request.grantId],
    ]),
  );
}

import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { minutesText } from '@claviger/terminal/duration';
import { lines, timeText } from './cells.ts';
import type { Column } from './noun.ts';

export type AccessRequest = workflow.AccessRequest;

export const requestColumns: readonly Column[] = [
  'ID  id; STATUS  status; WHO  requesterName|requesterId',
  ['WHAT', subjectText],
  ['FOR', (row: AccessRequest) => minutesText(row.approvedDurationMinutes || row.durationMinutes)],
  'SINCE  createdAt; REASON  reason',
];

/** `resource / entry`. */
export function subjectText(row: { readonly resourceName: string; readonly entryName: string }): string {
  return [row.resourceName, row.entryName].filter((name) => name !== '').join(' / ');
}

/** ` by bob ("fine")`, or nothing. */
export function decisionsText({ decisions }: AccessRequest): string {
  const all = decisions.map(
    ({ userName, userId, comment }) => `${userName || userId}${comment === '' ? '' : ` ("${comment}")`}`,
  );
  return all.length === 0 ? '' : ` by ${all.join(', ')}`;
}

/** What a change of a protection or policy lowers, e.g. `requires a grant`. */
function changeText({ change, policyChange }: AccessRequest): string {
  if (policyChange) return `${stepsText(policyChange.before)} → ${stepsText(policyChange.after)}`;
  const { before, after } = change ?? {};
  if (!before || !after) return '';
  const lowered = [
    before.requiresGrant && !after.requiresGrant && 'requires a grant',
    before.requiresReason && !after.requiresReason && 'requires a reason',
  ];
  return lowered.filter(Boolean).join(', ');
}

/** E.g. `owners: 2 of dba or 0190…; security: 1 of users with requests.decide`. */
function stepsText(policy: workflow.AccessPolicy | undefined): string {
  return (policy?.steps ?? [])
    .map(({ name, quorum, approverRoles, approverUserIds }) => {
      const approvers = [...approverRoles, ...approverUserIds].join(' or ');
      return `${name}: ${quorum} of ${approvers || 'users with requests.decide'}`;
    })
    .join('; ');
}

export const requestFields = (request: AccessRequest): Column[] => [
  'request  id; status  status; who  requesterName|requesterId',
  ['what', subjectText],
  ['lowers', changeText],
  'reason  reason; ticket  ticket',
  ...lines([
    ['asked for', minutesText(request.durationMinutes)],
    ['approved for', request.approvedDurationMinutes > 0 ? minutesText(request.approvedDurationMinutes) : ''],
    ...request.steps.map(
      ({ name, state, approvals, quorum }, index) =>
        [`step ${index + 1}`, `${name} ${state}, ${approvals} of ${quorum} approvals`.trim()] as const,
    ),
    ...request.decisions.map(
      ({ decision, userName, userId, decidedAt, comment }) =>
        [decision, `${userName || userId} ${timeText(decidedAt)} ${comment}`.trim()] as const,
    ),
  ]),
  ...(request.status === 'pending' ? ['lapses  expiresAt'] : []),
  'grant  grantId',
];

export const grantFields: readonly Column[] = [
  'grant  id; status  status; who  userName|userId',
  ['what', subjectText],
  'received  credentialsDeliveredAt; ended  endedAt; reason  revokeReason',
  'then  rotateOnEnd?the received secret is rotated if a connector reaches its target:',
];

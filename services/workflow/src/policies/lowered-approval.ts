import type { Step } from '../schema.ts';

/**
 * Whether the new steps require less than before: fewer steps or approvals, or approvals by additional users
 * or roles.
 */
export function lowersApproval(before: readonly Step[], after: readonly Step[]): boolean {
  if (after.length < before.length || approvals(after) < approvals(before)) return true;
  if (before.some(isForAnybody)) return false;
  const may = approversOf(before);
  return after.some(isForAnybody) || [...approversOf(after)].some((each) => !may.has(each));
}

function approvals(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + step.quorum, 0);
}

function isForAnybody({ approverUserIds, approverRoles }: Step): boolean {
  return approverUserIds.length === 0 && approverRoles.length === 0;
}

function approversOf(steps: readonly Step[]): ReadonlySet<string> {
  return new Set(
    steps.flatMap(({ approverUserIds, approverRoles }) => [
      ...approverUserIds.map((id) => `user ${id}`),
      ...approverRoles.map((role) => `role ${role}`),
    ]),
  );
}

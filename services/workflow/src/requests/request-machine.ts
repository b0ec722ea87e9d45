import { peopleBehind } from '@claviger/service-kit';
import { beyondAsked, minutesWithin } from '../asked/beyond-asked.ts';
import type { RequestStatus, Step } from '../schema.ts';

/** The state of a request. Times are epoch milliseconds of the database's clock. */
export interface RequestState {
  readonly status: RequestStatus;
  readonly requesterId: string;
  /** Other users who count as the requester. */
  readonly requesterBehind: readonly string[];
  readonly digest: string;
  readonly durationMinutes: number;
  /** The shortest approved duration; undefined before the first approval. */
  readonly approvedDurationMinutes: number | undefined;
  readonly expiresAtMs: number;
  readonly steps: readonly Step[];
  /** Index of the current step; the number of steps when all are passed. */
  readonly openStep: number;
  readonly decisions: readonly Decided[];
}

export interface Decided {
  readonly userId: string;
  /** Other users who count as the decider. */
  readonly behind?: readonly string[];
  readonly step: number;
  readonly decision: 'approve' | 'deny';
}

export interface Decider {
  readonly userId: string;
  readonly behind?: readonly string[];
  readonly roles: readonly string[];
  /** The decider benefits from the requested change and may not decide. */
  readonly benefits?: boolean;
}

export interface DecisionInput {
  readonly decision: 'approve' | 'deny';
  readonly by: Decider;
  /** The digest that the decider saw; empty if not given. */
  readonly digest: string;
  /** For an approval: a shorter duration. */
  readonly durationMinutes: number | undefined;
}

export type Refusal =
  | 'self_approval'
  | 'would_benefit'
  | 'wrong_status'
  | 'digest_mismatch'
  | 'already_decided'
  | 'not_eligible'
  | 'longer_than_asked'
  | 'not_requester';

export type Outcome =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** `state.status` is `approved` exactly if this was the last missing approval. */
  | { readonly kind: 'done'; readonly state: RequestState };

const refused = (refusal: Refusal): Outcome => ({ kind: 'refused', refusal });

/**
 * The status as it is shown: a pending request past its time has expired, even before the sweep updates its
 * row.
 */
export function statusAt(state: Pick<RequestState, 'status' | 'expiresAtMs'>, nowMs: number): RequestStatus {
  return state.status === 'pending' && nowMs >= state.expiresAtMs ? 'expired' : state.status;
}

/** Whether the decision of this person counts in this step. */
export function isEligible(step: Step, by: Decider): boolean {
  if (step.approverUserIds.length === 0 && step.approverRoles.length === 0) return true;
  return (
    step.approverUserIds.includes(by.userId) || step.approverRoles.some((role) => by.roles.includes(role))
  );
}

export function approvalsOf(decisions: readonly Decided[], step: number): number {
  return new Set(
    decisions.filter((each) => each.step === step && each.decision === 'approve').map((each) => each.userId),
  ).size;
}

/**
 * One person approves or denies. A denial is final at once, an approval when it is the last missing one. A
 * person and everything they are responsible for count once: nobody decides requests of their machine
 * identity, nor twice, directly and through a machine identity.
 */
export function decide(state: RequestState, input: DecisionInput, nowMs: number): Outcome {
  const { by } = input;
  const people = peopleBehind(by);
  const isOneOf = (others: readonly string[]): boolean => others.some((id) => people.includes(id));
  if (isOneOf([state.requesterId, ...state.requesterBehind])) return refused('self_approval');
  if (by.benefits) return refused('would_benefit');
  if (statusAt(state, nowMs) !== 'pending') return refused('wrong_status');
  if (input.digest !== '' && input.digest !== state.digest) return refused('digest_mismatch');
  if (state.decisions.some((each) => isOneOf(peopleBehind(each)))) return refused('already_decided');
  const step = state.steps[state.openStep];
  if (!step || !isEligible(step, by)) return refused('not_eligible');
  const decisions = [
    ...state.decisions,
    { userId: by.userId, behind: people.slice(1), step: state.openStep, decision: input.decision },
  ];
  if (input.decision === 'deny') return { kind: 'done', state: { ...state, decisions, status: 'denied' } };

  const asked = { minutes: state.durationMinutes };
  const given = { minutes: input.durationMinutes ?? asked.minutes };
  if (beyondAsked(asked, given)) return refused('longer_than_asked');
  const approvedDurationMinutes = minutesWithin({ minutes: state.approvedDurationMinutes }, given.minutes);
  const stepIsDone = approvalsOf(decisions, state.openStep) >= step.quorum;
  const openStep = stepIsDone ? state.openStep + 1 : state.openStep;
  const status = openStep === state.steps.length ? 'approved' : 'pending';
  return { kind: 'done', state: { ...state, decisions, approvedDurationMinutes, openStep, status } };
}

/** The requester cancels. */
export function cancel(state: RequestState, userId: string, nowMs: number): Outcome {
  if (userId !== state.requesterId) return refused('not_requester');
  if (statusAt(state, nowMs) !== 'pending') return refused('wrong_status');
  return { kind: 'done', state: { ...state, status: 'cancelled' } };
}

/** Stores the expiry that `statusAt` shows. */
export function expire(state: RequestState, nowMs: number): Outcome {
  if (state.status !== 'pending' || nowMs < state.expiresAtMs) return refused('wrong_status');
  return { kind: 'done', state: { ...state, status: 'expired' } };
}

export interface StepProgress {
  readonly name: string;
  readonly quorum: number;
  readonly approvals: number;
  readonly state: 'waiting' | 'open' | 'done';
}

/** The progress of a request. A step is open only while the request is pending. */
export function progressOf(
  state: Pick<RequestState, 'steps' | 'openStep' | 'decisions'>,
  status: RequestStatus,
): StepProgress[] {
  return state.steps.map((step, index) => ({
    name: step.name,
    quorum: step.quorum,
    approvals: approvalsOf(state.decisions, index),
    state:
      index < state.openStep ? 'done' : index === state.openStep && status === 'pending' ? 'open' : 'waiting',
  }));
}

import { ClavigerError } from '@claviger/errors';
import { askRule } from './evaluate.ts';
import type { Facts, FlowType } from './facts.ts';
import { prepareFacts } from './prepared-facts.ts';
import { given, type RuleFields } from './rule.ts';
import { appliesTo, type CompiledRule, compileRule } from './rule-set.ts';
import { MINUTE_MS } from './time-window.ts';
import { ruleFieldsOf, validateCriteria } from './validate-rule.ts';

export type RequestStatus = (typeof REQUEST_STATUSES)[number];

const REQUEST_STATUSES = [
  'pending',
  'approved',
  'auto_approved',
  'denied',
  'expired',
  'revoked',
  'actuating',
] as const;

/** A request in the history. */
export interface PastRequest {
  readonly id: string;
  /** RFC 3339. */
  readonly requestedAt: string;
  readonly flowType: FlowType;
  readonly status: RequestStatus;
  readonly facts: Facts;
}

export interface PreviewOptions {
  /** The end of the window, RFC 3339. */
  readonly at: string;
  readonly flowType?: FlowType;
  /** Maximum number of examined requests; default 5,000. */
  readonly maxScanned?: number;
  /** Maximum number of listed requests; default 20. */
  readonly maxSample?: number;
}

export interface Preview {
  readonly totalMatched: number;
  readonly totalScanned: number;
  readonly windowDays: number;
  /** The window contains more requests than were examined. */
  readonly truncated: boolean;
  readonly statusBreakdown: Readonly<Record<RequestStatus, number>>;
  readonly sample: readonly Pick<PastRequest, 'id' | 'requestedAt' | 'flowType' | 'status'>[];
}

export const DEFAULT_WINDOW_DAYS = 30;

/** A preview that receives one request at a time, newest first; uses constant memory. */
export interface RunningPreview {
  /** Returns false at the limit: further requests would not be counted. */
  add(request: PastRequest): boolean;
  report(): Preview;
}

/** Throws `invalid` with the invalid fields of the draft. See `preview`. */
export function startPreview(
  draft: Partial<RuleFields>,
  windowDays: number,
  options: PreviewOptions,
): RunningPreview {
  const rule = draftOf(draft, windowDays);
  const until = Date.parse(options.at);
  const from = until - windowDays * 24 * 60 * MINUTE_MS;
  const maxScanned = options.maxScanned ?? 5_000;
  const statusBreakdown = Object.fromEntries(REQUEST_STATUSES.map((status) => [status, 0])) as Record<
    RequestStatus,
    number
  >;
  const sample: Preview['sample'][number][] = [];
  let [totalMatched, totalScanned, truncated] = [0, 0, false];
  return {
    add(request) {
      const at = Date.parse(request.requestedAt);
      if (!(at >= from && at <= until)) return true;
      if (options.flowType !== undefined && request.flowType !== options.flowType) return true;
      if (totalScanned >= maxScanned) {
        truncated = true;
        return false;
      }
      totalScanned++;
      if (!matches(rule, request.facts)) return true;
      totalMatched++;
      statusBreakdown[request.status]++;
      const { id, requestedAt, flowType, status } = request;
      if (sample.length < (options.maxSample ?? 20)) sample.push({ id, requestedAt, flowType, status });
      return true;
    },
    report: () => ({
      totalMatched,
      totalScanned,
      windowDays,
      truncated,
      statusBreakdown: { ...statusBreakdown },
      sample: [...sample],
    }),
  };
}

/**
 * Returns the requests of the last `windowDays` (1 to 90) that the draft alone would have matched, without
 * other rules and lists of known software (see `replay`). A draft with a group matches nothing. Requests are
 * read newest first; those outside the window or of another kind are not counted. Throws `invalid` with the
 * fields.
 */
export function preview(
  draft: Partial<RuleFields>,
  requests: Iterable<PastRequest>,
  windowDays: number,
  options: PreviewOptions,
): Preview {
  const running = startPreview(draft, windowDays, options);
  for (const request of requests) if (!running.add(request)) break;
  return running.report();
}

function draftOf(draft: Partial<RuleFields>, windowDays: number): CompiledRule {
  const fields = validateCriteria(draft);
  if (!Number.isInteger(windowDays) || windowDays < 1 || windowDays > 90)
    fields.push({ pointer: '/windowDays', detail: 'must be a whole number of days from 1 to 90' });
  if (fields.length > 0) throw new ClavigerError('invalid', 'The draft is not valid.', { fields });
  return compileRule('rules', {
    ...ruleFieldsOf(draft),
    id: 'draft',
    name: draft.name ?? 'draft',
    verdict: draft.verdict ?? 'require_approval',
    authorIds: [],
  });
}

function matches(rule: CompiledRule, facts: Facts): boolean {
  if (given(rule.criteria.matchAdGroup)) return false;
  try {
    const prepared = prepareFacts(facts);
    return appliesTo(rule, prepared.kind) && askRule(rule, prepared).outcome === 'matched';
  } catch {
    // Invalid facts match nothing; they count as examined.
    return false;
  }
}

import type {
  Finding,
  LintContext,
  PastRequest,
  Preview,
  PreviewOptions,
  ReplayReport,
  Rule,
  RuleFields,
  SoftwareEntry,
  StoredDecision,
} from '@claviger/evaluator';

/** A rule set before it is compiled. */
export interface RuleSetContent {
  readonly version: string;
  readonly rules: readonly Rule[];
  readonly softwareEntries: readonly SoftwareEntry[];
}

/** The kinds of jobs. `Item` is the input, `Report` the result. */
export interface Jobs {
  replay: {
    readonly options: { readonly samples: number; readonly maxDecisions: number };
    readonly item: StoredDecision;
    readonly report: ReplayReport & { readonly truncated: boolean };
  };
  preview: {
    readonly options: {
      readonly draft: Partial<RuleFields>;
      readonly windowDays: number;
      readonly preview: PreviewOptions;
    };
    readonly item: PastRequest;
    readonly report: Preview;
  };
  lint: { readonly options: LintContext; readonly item: never; readonly report: readonly Finding[] };
}

export type JobKind = keyof Jobs;
export type Item = Jobs[JobKind]['item'];

export type Start = {
  readonly [K in JobKind]: { readonly kind: K; readonly options: Jobs[K]['options'] };
}[JobKind];

/** Messages to the thread. It answers each message in order. */
export type Ask =
  | { readonly kind: 'rules'; readonly rules: readonly Rule[] }
  | { readonly kind: 'software'; readonly entries: readonly SoftwareEntry[] }
  /**
   * Compiles the content sent before. After `untilMs` (milliseconds since 1970) the thread accepts no items.
   */
  | { readonly kind: 'start'; readonly job: Start; readonly version: string; readonly untilMs: number }
  /** The answer is true if the thread accepts more items. */
  | { readonly kind: 'items'; readonly items: readonly Item[] }
  | { readonly kind: 'report' };

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string };

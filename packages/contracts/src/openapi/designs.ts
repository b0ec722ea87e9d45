/** A reason for which a request that fits its schemas is refused all the same. */
export interface Design {
  readonly name: string;
  readonly statuses: readonly number[];
  /** `code` of the problem; any code of these statuses when absent. */
  readonly codes?: readonly string[];
  /** Each of the problem's `errors` points to a place that the operation marks with this extension. */
  readonly marks?: 'x-claviger-rule' | 'x-exclusive';
  readonly description: string;
}

/**
 * All of them, shown in the document as `x-designs`. Whoever generates requests from the document (a client, a fuzzer) can tell by
 * this list a refusal that is meant from one that the document fails to mention.
 */
export const designs: readonly Design[] = [
  {
    name: 'sign-in',
    statuses: [401],
    description: 'The token is missing, not valid, or its session has ended.',
  },
  {
    name: 'permission',
    statuses: [403],
    description:
      'The caller lacks the permission (x-claviger-permission), is of the wrong kind (agents, the platform tenant), needs a recent second factor (x-claviger-step-up), or may not do it to this object.',
  },
  {
    name: 'unknown-object',
    statuses: [404],
    description: 'A well-formed id names nothing, or nothing that the caller may see: the two are the same.',
  },
  {
    name: 'state',
    statuses: [409],
    description:
      'The object is in another state than the operation needs, a name is taken, or a limited number is reached; `code` says which.',
  },
  { name: 'gone', statuses: [410], description: 'What is asked for existed once and is gone for good.' },
  {
    name: 'condition',
    statuses: [412],
    description:
      'If-Match or rowVersion is another version than the object has, or the operation keeps no conditions.',
  },
  {
    name: 'size',
    statuses: [413],
    description:
      'The body is larger than x-claviger-max-body-bytes, 1 MiB where it is not said. Each field may be as long as its schema says, but not all of them at once.',
  },
  {
    name: 'json-limit',
    statuses: [400],
    codes: ['json_limit'],
    description:
      'The body holds more than 1,000 values (members and list items), or is more than 20 levels deep.',
  },
  {
    name: 'idempotency-key',
    statuses: [409, 422],
    codes: ['idempotency_replayed', 'request_in_progress', 'idempotency_key_reused'],
    description: 'The Idempotency-Key was used before: for this request (409) or for another one (422).',
  },
  {
    name: 'limit',
    statuses: [429],
    description: 'Too many requests; Retry-After says when to come again.',
  },
  {
    name: 'rule',
    statuses: [400],
    marks: 'x-claviger-rule',
    description:
      'A field or an object breaks a rule that no schema can say, and that it shows as x-claviger-rule. The problem points to the field or into it, or to the object.',
  },
  {
    name: 'exclusive',
    statuses: [400],
    marks: 'x-exclusive',
    description:
      'Two parameters exclude each other, which OpenAPI 3.1 cannot say: the operation lists such groups as x-exclusive. Fields of bodies that exclude each other are variants of a oneOf.',
  },
];

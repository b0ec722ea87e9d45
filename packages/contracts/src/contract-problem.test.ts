import { expect, it } from 'vitest';
import {
  contractProblem,
  type MethodInfo,
  methodOf,
  methods,
  type Policy,
  takesIdempotencyKey,
} from './index.ts';

const ingest = methodOf('/claviger.workflow.v1.AgentElevationsService/IngestElevationRequest');
const update = methodOf('/claviger.workflow.v1.PamRulesService/UpdateRule');
const download = methodOf('/claviger.audit.v1.AuditService/ExportEvents');
const preview = methodOf('/claviger.workflow.v1.PamRulesService/PreviewRule');

function having(method: MethodInfo, policy: Partial<Policy>): MethodInfo {
  return { ...method, policy: { ...method.policy!, ...policy } };
}

function changed(method: MethodInfo, part: 'request' | 'response', name: string, change: object): MethodInfo {
  const fields = method[part].fields.map((field) =>
    field.protoName === name ? { ...field, ...change } : field,
  );
  return { ...method, [part]: { ...method[part], fields } };
}

function alternatives(method: MethodInfo, oneOf: readonly string[][]): MethodInfo {
  return { ...method, request: { ...method.request, oneOf } };
}

it('finds no problem in any operation of the contract', () => {
  const wrong = [...methods.values()].map((method) => contractProblem(method));
  expect(wrong.filter(Boolean)).toEqual([]);
});

it.each<[string, MethodInfo, RegExp]>([
  ['a missing status field', having(ingest, { statusField: 'nothing' }), /no plain int32/],
  ['one that is a text', having(ingest, { statusField: 'status' }), /no plain int32/],
  ['one that is optional', changed(ingest, 'response', 'http_status', { optional: true }), /no plain int32/],
  ['one that is too wide', changed(ingest, 'response', 'http_status', { int32: false }), /no plain int32/],
  ['one without statuses', having(ingest, { otherSuccessStatuses: [] }), /no other_success_statuses/],
  ['statuses without one', having(ingest, { statusField: '' }), /no status_field/],
  ['a status twice', having(ingest, { otherSuccessStatuses: [201] }), /twice/],
  ['a status that is not a success', having(ingest, { otherSuccessStatuses: [302] }), /200 to 299/],
  ['a status without a body', having(ingest, { otherSuccessStatuses: [204] }), /never 204/],
  ['two statuses of a stream', { ...ingest, responseStream: true }, /stream/],
  ['a limit above that of the edge', having(ingest, { maxBodyBytes: 1_048_577 }), /1048577 bytes/],
  ['a body limit without a body', { ...ingest, http: [] }, /none/],
  [
    'an entry without the required access',
    having(methodOf('/claviger.vault.v1.EntriesService/UpdateEntry'), { access: 0 }),
    /declares no access/,
  ],
  [
    'access without an entry',
    having(methodOf('/claviger.vault.v1.ModulesService/GetModule'), { access: 2 }),
    /names no entry/,
  ],
  ['a PATCH that reads', having(update, { reads: true }), /POST alone/],
  ['a PATCH that hands over', having(update, { handsOver: true }), /GET alone/],
  [
    'a mask that is a single text',
    changed(update, 'request', 'update_mask', { repeated: false }),
    /list of strings/,
  ],
  [
    'a mask without a body',
    { ...update, http: update.http.map((binding) => ({ ...binding, body: false })) },
    /takes no body/,
  ],
  [
    'null for what is never absent',
    changed(update, 'request', 'match_signer', { optional: false }),
    /match_signer/,
  ],
  ['an alternative that is not a field', alternatives(update, [['name'], ['nothing']]), /nothing/],
  ['one alternative alone', alternatives(update, [['name', 'verdict']]), /several/],
  ['media types without a download', having(update, { mediaTypes: ['text/csv'] }), /for downloads/],
  ['a download of unknown type', having(download, { mediaTypes: [] }), /no media_types/],
])('finds %s', (_, method, problem) => {
  expect(contractProblem(method)).toMatch(problem);
});

it('takes no idempotency key for a POST that only reads', () => {
  expect(takesIdempotencyKey(preview)).toBe(false);
  expect(takesIdempotencyKey(having(preview, { audit: 'rule.previewed' }))).toBe(false);
  expect(takesIdempotencyKey(having(preview, { audit: 'rule.previewed', reads: false }))).toBe(true);
});

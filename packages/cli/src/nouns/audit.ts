import type { Noun } from '../contract/noun.ts';
import { refuse } from '../contract/refuse.ts';

const id = '0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11';

export const noun: Noun = {
  about: 'the audit log and its proofs',
  services: ['AuditService'],
  views: {
    AuditEvent: {
      columns: [
        'SEQ  sequence; TIME  occurredAt; ACTION  action; OUTCOME  outcome',
        'WHO  actorName|actorId|actorKind; ABOUT  {subjectType}{subjectId? :}{subjectId}; REASON  reason',
      ],
      fields: [
        'event  id; sequence  {sequence}{sequence?:not sequenced yet}',
        ['time', ({ occurredAt }: { occurredAt: string }) => occurredAt],
        'action  action; outcome  outcome; who  actorName|actorId|actorKind; kind  actorKind',
        'about  {subjectType}{subjectId? :}{subjectId}; resource  resourceId; reason  reason',
        'details  details; from  sourceAddress; service  service; request  requestId; leaf hash  leafHash',
      ],
    },
    TreeHead: {
      fields: [
        'events  size; root hash  rootHash',
        ['signed', ({ timestamp }: { timestamp: string }) => timestamp],
        'by key  keyId; tenant  tenantId',
      ],
    },
    PublicKey: { columns: ['KEY ID  keyId', 'SIGNS  purpose'] },
  },
  verbs: {
    list: {
      call: 'ListEvents',
      example: 'audit list --outcome denied --from 2026-03-01',
      flags: { subjectId: '--subject <id>' },
    },
    show: { call: 'GetEvent' },
    export: {
      call: 'ExportEvents',
      example: 'audit export --format jsonl --out audit.jsonl',
      flags: { format: '--format <jsonl|json|csv>=jsonl  format of the file' },
      options: ['--out <file>  new file; standard output when unset'],
      prepare: (_, { format, from, to, bom }) => {
        if (format === 'jsonl' && (from !== undefined || to !== undefined))
          throw refuse('jsonl contains the whole log: omit --from and --to, or use csv or json');
        if (bom && format !== 'csv') throw refuse('--bom is only for csv: give --format csv, or omit --bom');
        return {};
      },
      run: async (running, request) =>
        (await import('../flows/audit-export.ts')).exportEvents(running, request),
    },
    head: {
      call: 'GetTreeHead',
      example: 'audit head --save 2026-03-01.head.json',
      save: 'tree head written to {file}: keep it where the operators of the server cannot write',
    },
    keys: {
      call: 'ListKeys',
      example: 'audit keys --save audit-keys.json',
      save: 'keys written to {file}',
    },
    proof: {
      call: 'GetInclusionProof',
      about: 'fetch the proof that an event is in the log, and verify it locally',
      example: `audit proof ${id} --keys audit-keys.json`,
      options: ['--keys <file>  trusted keys; the current keys of the server when unset'],
      run: async (running, request) => (await import('../flows/audit-proof.ts')).proveEvent(running, request),
    },
  },
  flows: async (noun) => (await import('../flows/audit-verify.ts')).register(noun),
};

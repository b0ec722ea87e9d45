import type { Noun } from '../contract/noun.ts';
import { refuse } from '../contract/refuse.ts';

const id = '0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11';

export const noun: Noun = {
  about: 'the audit log, and its proof',
  services: ['AuditService'],
  views: {
    AuditEvent: {
      columns: [
        'SEQ  sequence; TIME  occurredAt; ACTION  action; OUTCOME  outcome',
        'WHO  actorName|actorId|actorKind; ABOUT  {subjectType}{subjectId? :}{subjectId}; REASON  reason',
      ],
      fields: [
        'event  id; sequence  {sequence}{sequence?:not sealed yet}',
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
      about: 'list events, the newest first',
      example: 'audit list --outcome denied --from 2026-03-01',
      flags: {
        userId: 'what this user did, by user name or id',
        resourceId: 'about this resource, by name or id',
        subjectId: '--subject <id>  about the object with this id',
      },
    },
    show: {
      call: 'GetEvent',
      about: 'show one event',
      words: 'eventId=event-id',
    },
    export: {
      call: 'ExportEvents',
      about: 'write events to a file; jsonl holds the whole log and can be verified offline',
      example: 'audit export --format jsonl --out audit.jsonl',
      flags: {
        format: '--format <jsonl|json|csv>=jsonl  which form',
        bom: 'begin with a byte order mark (csv): for spreadsheets that show accented letters wrongly without it',
      },
      options: ['--out <file>  new file; standard output when not given'],
      prepare: (_, { format, from, to, bom }) => {
        if (format === 'jsonl' && (from !== undefined || to !== undefined))
          throw refuse('jsonl holds the whole log: leave --from and --to out, or take csv or json');
        if (bom && format !== 'csv')
          throw refuse('--bom is for csv alone: give --format csv, or leave it out');
        return {};
      },
      run: async (running, request) =>
        (await import('../flows/audit-export.ts')).exportEvents(running, request),
    },
    head: {
      call: 'GetTreeHead',
      about: 'show the newest signed tree head; kept elsewhere, it proves later that nothing was rewritten',
      example: 'audit head --save 2026-03-01.head.json',
      save: "the tree head is in {file}: keep it where the server's operators cannot write",
    },
    keys: {
      call: 'ListKeys',
      about: 'show the public keys under which heads and receipts are signed',
      example: 'audit keys --save audit-keys.json',
      save: 'the keys are in {file}',
    },
    proof: {
      call: 'GetInclusionProof',
      about: 'prove that an event stands in the log, checked here',
      example: `audit proof ${id} --keys audit-keys.json`,
      words: 'eventId=event-id',
      flags: { treeSize: 'against the head of this size; the newest when not given' },
      options: ['--keys <file>  keys to believe; without it, those that the server names now'],
      run: async (running, request) => (await import('../flows/audit-proof.ts')).proveEvent(running, request),
    },
  },
  flows: async (noun) => (await import('../flows/audit-verify.ts')).register(noun),
};

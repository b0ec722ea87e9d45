import type { Noun, Verb } from '../contract/noun.ts';

const job = (verb: string, call: string, about: string): Verb => ({
  call,
  about,
  example: `keys ${verb} --reason "quarterly" --wait`,
  flags: { reason: '--reason <text>!  reason, for the audit log' },
  options: ['--wait  show the progress until the job is done'],
  run: async (running, request, { views }) =>
    (await import('../flows/key-job.ts')).startKeyJob(call, running, request, views?.KeyJob?.columns),
});

export const noun: Noun = {
  about: 'the keys that protect the secrets of your tenant',
  services: ['EncryptionService'],
  views: {
    GetEncryptionStatusResponse: {
      fields: [
        'root key  {rootKey.state} {rootKey.provider} {rootKey.keyId}; data keys  contentKeys',
        'unrecoverable  unrecoverable',
      ],
    },
    KeyEncryptionKey: {
      columns: [
        'VERSION  version; STATE  state; AGE  {ageDays} d; WRAPS  wraps; CONTENT KEYS  contentKeys',
        'ROTATED BEFORE  rotateBefore; ID  id',
      ],
    },
    KeyJob: {
      columns: [
        'ID  id; KIND  kind; STATE  state; PROGRESS  {progressPercent} %; REWRAPPED  rewrapped',
        'UNRECOVERABLE  unrecoverable; ASKED  createdAt; BY  requestedByName; PROBLEM  problem',
      ],
    },
    KeyFinding: {
      columns: ['ENTRY  entryName; VERSION  version; OUTCOME  outcome; PROBLEM  problem; ENTRY ID  entryId'],
    },
  },
  verbs: {
    status: {
      call: 'GetEncryptionStatus',
      about: 'show the key hierarchy and recommended actions',
      table: 'keys',
      after: '{advice}',
    },
    rotate: job('rotate', 'RotateKek', 'rotate the key-encryption key (KEK)'),
    repair: job(
      'repair',
      'RepairKeys',
      'check whether every data key (DEK) decrypts, and repair what can be repaired',
    ),
    jobs: { call: 'ListKeyJobs', about: 'list key rotations and repairs' },
    findings: {
      call: 'ListKeyFindings',
      about: 'list the versions of secrets in which a job found a fault',
      words: 'jobId=job',
    },
  },
};

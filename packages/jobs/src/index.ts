export type { JobContext, JobDefinition } from './job-definition.ts';
export { createJobQueues, type JobQueues } from './job-queues.ts';

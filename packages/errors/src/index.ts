export { ClavigerError, type ErrorOptions, type FieldProblem, isClavigerError } from './claviger-error.ts';
export { type ProblemDocument, problemDocument } from './problem-document.ts';
export { REASONS, type Reason } from './reasons.ts';

import { EXIT } from '@claviger/terminal/exit-codes';
import { expect, test } from 'vitest';
import { problemFrom } from './cli-problem.ts';

const document = (status: number, code: string, more: object = {}) =>
  problemFrom(status, JSON.stringify({ title: 'T', detail: 'D', code, status, ...more }), {});

test.each([
  [400, 'invalid', EXIT.usage],
  [401, 'token_expired', EXIT.denied],
  [403, 'self_approval', EXIT.denied],
  [404, 'not_found', EXIT.notFound],
  [409, 'already_delivered', EXIT.conflict],
  [412, 'precondition_failed', EXIT.conflict],
  [429, 'rate_limited', EXIT.error],
  [500, 'internal', EXIT.error],
  [503, 'sealed', EXIT.sealed],
  [503, 'unavailable', EXIT.error],
])('%i %s ends with exit code %i', (status, code, exitCode) => {
  expect(document(status, code).exitCode).toBe(exitCode);
});

test('the message says what is wrong, where, and what to do next', () => {
  const problem = document(400, 'invalid', {
    errors: [{ pointer: '/durationMinutes', detail: 'must be between 1 and 43200' }],
    hint: 'Ask for less.',
    correlationId: 'c-1',
  });
  for (const part of ['T: D', '/durationMinutes must be', 'Ask for less.', 'c-1', 'claviger explain invalid'])
    expect(problem.message).toContain(part);
});

test('a problem cannot send control characters to the terminal', () => {
  const problem = document(403, 'denied', { detail: 'x\u001b]0;owned\u0007\nclaviger: all is well' });
  expect(problem.message).not.toMatch(/[\u001b\u0007]/u);
  expect(problem.message.split('\n')[0]).toContain('\\u000aclaviger: all is well');
});

test('an answer that is not a problem document is not shown', () => {
  const problem = problemFrom(502, '<html>proxy</html>', { 'retry-after': '7' });
  expect(problem).toMatchObject({ exitCode: EXIT.error, code: 'http_502' });
  expect(problem.message).not.toContain('html');
  expect(problem.message).toContain('7 s');
});

import type { ServerResponse } from 'node:http';
import { ClavigerError } from '@claviger/errors';
import type { EdgeRequest } from '../edge/edge-request.ts';
import { answerProblem } from '../edge/problem-answer.ts';

/** Answers 405 with the methods of the path, or 404 when it has none. */
export function answerNoRoute(
  request: EdgeRequest,
  response: ServerResponse,
  allowed: readonly string[],
): void {
  if (allowed.length === 0) {
    const error = new ClavigerError('not_found', 'This operation does not exist.', {
      code: 'no_such_route',
      hint: 'GET /openapi.json lists all operations.',
    });
    answerProblem(request, response, error);
    return;
  }
  response.setHeader('Allow', allowed.join(', '));
  const error = new ClavigerError('method_not_allowed', 'This path does not support this method.', {
    hint: `It supports ${allowed.join(', ')}.`,
  });
  answerProblem(request, response, error);
}

import type { ServerResponse } from 'node:http';
import { ClavigerError } from '@claviger/errors';
import type { EdgeRequest } from '../edge/edge-request.ts';
import { answerProblem } from '../edge/problem-answer.ts';

/** 405 with the methods that the path has; 404 when it has none. */
export function answerNoRoute(
  request: EdgeRequest,
  response: ServerResponse,
  allowed: readonly string[],
): void {
  if (allowed.length === 0) {
    const error = new ClavigerError('not_found', 'There is no such operation.', {
      code: 'no_such_route',
      hint: 'GET /openapi.json lists all operations.',
    });
    answerProblem(request, response, error);
    return;
  }
  response.setHeader('Allow', allowed.join(', '));
  const error = new ClavigerError('method_not_allowed', 'This path does not have that method.', {
    hint: `It has ${allowed.join(', ')}.`,
  });
  answerProblem(request, response, error);
}

import { CliProblem } from './cli-problem.ts';

/** Undefined where the server says that there is no such object, or none that the actor may see. */
export async function orNotFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CliProblem && error.status === 404) return undefined;
    throw error;
  }
}

import { CliProblem } from './cli-problem.ts';

/** Returns undefined if the server answers that the object does not exist or is not visible to the actor. */
export async function orNotFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CliProblem && error.status === 404) return undefined;
    throw error;
  }
}

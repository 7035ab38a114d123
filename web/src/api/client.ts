import { QueryClient } from "@tanstack/react-query";
import { ApiProblem } from "./problem.ts";

const mostTries = 3;

/** One cache for the page. A refusal is final; only silence and a failing server are asked again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (failures, error) =>
        failures < mostTries && !(error instanceof ApiProblem && error.status >= 400 && error.status < 500),
    },
    mutations: { retry: false },
  },
});

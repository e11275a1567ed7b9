import { mainFlow } from "./main-flow.ts";

mainFlow({ mode: "distributed", workers: 2 });

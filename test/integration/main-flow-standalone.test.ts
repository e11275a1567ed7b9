import { mainFlow } from "./main-flow.ts";

mainFlow({ mode: "standalone" });

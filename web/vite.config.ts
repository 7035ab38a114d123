import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));
/** Where `npm start` listens; only used by `vite dev`. */
const engine = process.env.ENGINE_ORIGIN ?? "http://localhost:4200";

export default defineConfig({
  root,
  plugins: [react(), tailwindcss()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // The policy of the server allows nothing but files of its own: no data URLs for fonts and pictures.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: [`${root}index.html`, `${root}overlay.html`] },
  },
  server: {
    proxy: {
      "/api": engine,
      "/dev": engine,
      "/socket.io": { target: engine, ws: true },
    },
  },
});

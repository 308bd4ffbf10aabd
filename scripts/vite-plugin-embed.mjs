/**
 * `embed.js`: the client for pages that embed the playground (docs/embedding.md), one small ES module of its own with a name that never changes. In
 * development it is made on request.
 */
import { resolve } from 'node:path'
import { build } from 'vite'

const root = resolve(import.meta.dirname, '..')
const fileName = 'embed.js'

async function buildClient(minify) {
  const output = await build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    build: {
      write: false,
      target: 'es2022',
      minify,
      lib: { entry: resolve(root, 'src/ui/embed/client.ts'), formats: ['es'], fileName: 'embed' },
    },
  })
  const [{ output: chunks }] = Array.isArray(output) ? output : [output]
  if (chunks.length !== 1) throw new Error(`${fileName} must be one script, not ${chunks.length}`)
  return chunks[0].code
}

export function embedClient() {
  return {
    name: 'embed-client',
    async generateBundle() {
      this.emitFile({ type: 'asset', fileName, source: await buildClient(true) })
    },
    configureServer(server) {
      server.middlewares.use(`/${fileName}`, async (_request, response) => {
        try {
          const body = await buildClient(false)
          response.setHeader('Content-Type', 'text/javascript')
          response.setHeader('Cache-Control', 'no-store')
          response.setHeader('Access-Control-Allow-Origin', '*')
          response.end(body)
        } catch (error) {
          server.config.logger.error(String(error?.stack ?? error))
          response.statusCode = 500
          response.end(String(error?.message ?? error))
        }
      })
    },
  }
}

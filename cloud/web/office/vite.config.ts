import { join } from 'node:path'

import vue from '@vitejs/plugin-vue'
import components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig } from 'vite'

import { compress } from './plugins/compress.ts'

const backend = process.env.WUYE_BACKEND ?? 'http://127.0.0.1:8000'

export default defineConfig({
  base: '/assets/',
  resolve: { alias: { '@': join(import.meta.dirname, 'src') } },
  plugins: [
    vue(),
    components({
      dts: false,
      dirs: [],
      resolvers: [ElementPlusResolver({ importStyle: 'css' })]
    }),
    compress()
  ],
  define: {
    __VUE_OPTIONS_API__: true,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_I18N_LEGACY_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __INTLIFY_PROD_DEVTOOLS__: false
  },
  build: {
    outDir: '../dist/office',
    emptyOutDir: true,
    assetsDir: '',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ['chrome109', 'safari16'],
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            {
              name: 'vue',
              test: /node_modules[\\/](@vue|vue|vue-router|vue-i18n|@intlify|pinia)[\\/]/,
              priority: 30
            },
            {
              name: 'element',
              test: /node_modules[\\/](element-plus|@floating-ui|@element-plus|@vueuse|lodash|async-validator|dayjs|@popperjs)/,
              priority: 20,
              minShareCount: 3
            },
            { name: 'icons', test: /node_modules[\\/]@lucide/, priority: 10, minShareCount: 2 }
          ]
        }
      }
    }
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': backend, '/healthz': backend }
  }
})

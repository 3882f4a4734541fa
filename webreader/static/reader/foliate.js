// The one place that names the version of foliate-js. Its view is a custom element, `foliate-view`.
import '../vendor/foliate-js-1.0.1/view.js'

export * as CFI from '../vendor/foliate-js-1.0.1/epubcfi.js'
export { Overlayer } from '../vendor/foliate-js-1.0.1/overlayer.js'

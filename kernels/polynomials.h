/* Polynomials behind the functions of functions.h, written by tools/minimax.py: do not edit. Each
 * comment gives the largest weighted error; what is approximated, where and with which weight
 * stands in that script. */
#ifndef GT_KERNELS_POLYNOMIALS_H
#define GT_KERNELS_POLYNOMIALS_H

/* error 2^-26.1 */
static inline float gt_series_exp_f32(float x)
{
    float p = 0x1.6d438cp-10f;
    p = p * x + 0x1.122a2p-7f;
    p = p * x + 0x1.5554fp-5f;
    p = p * x + 0x1.5554acp-3f;
    p = p * x + 0x1p-1f;
    return p;
}

/* error 2^-30.2 */
static inline float gt_series_log_f32(float x)
{
    float p = 0x1.31e1a8p-2f;
    p = p * x + 0x1.995edp-2f;
    p = p * x + 0x1.55557ap-1f;
    return p;
}

/* error 2^-29.7 */
static inline float gt_series_tanh_f32(float x)
{
    float p = -0x1.986102p-8f;
    p = p * x + 0x1.58c83ap-6f;
    p = p * x - 0x1.b91bc8p-5f;
    p = p * x + 0x1.110ce4p-3f;
    p = p * x - 0x1.55554ap-2f;
    return p;
}

/* error 2^-28.0 */
static inline float gt_series_sin_f32(float x)
{
    float p = -0x1.9955aep-13f;
    p = p * x + 0x1.11077cp-7f;
    p = p * x - 0x1.555546p-3f;
    return p;
}

/* error 2^-33.1 */
static inline float gt_series_cos_f32(float x)
{
    float p = 0x1.99eac2p-16f;
    p = p * x - 0x1.6c0c2ep-10f;
    p = p * x + 0x1.55554ap-5f;
    return p;
}

/* error 2^-29.9 */
static inline float gt_series_erf_f32(float x)
{
    float p = 0x1.5d5556p-14f;
    p = p * x - 0x1.aa4cc4p-11f;
    p = p * x + 0x1.54c58p-8f;
    p = p * x - 0x1.b80dbp-6f;
    p = p * x + 0x1.ce2df2p-4f;
    p = p * x - 0x1.812742p-2f;
    p = p * x + 0x1.06eba8p-3f;
    return p;
}

/* error 2^-33.7 */
static inline float gt_series_minus_log_erfc_f32(float x)
{
    float p = 0x1.63536ep-16f;
    p = p * x - 0x1.c865d6p-12f;
    p = p * x + 0x1.118d2p-8f;
    p = p * x - 0x1.9ba6b6p-6f;
    p = p * x + 0x1.bb89f8p-4f;
    p = p * x + 0x1.4445b6p-1f;
    p = p * x + 0x1.2127e4p0f;
    p = p * x - 0x1.6dd2ecp-13f;
    return p;
}

/* error 2^-61.7 */
static inline double gt_series_exp_f64(double x)
{
    double p = 0x1.1f840ab1f87fcp-29;
    p = p * x + 0x1.af5f7e056c165p-26;
    p = p * x + 0x1.27e4d12ff642bp-22;
    p = p * x + 0x1.71ddf7e787cabp-19;
    p = p * x + 0x1.a01a01ab1a225p-16;
    p = p * x + 0x1.a01a01b00fcc5p-13;
    p = p * x + 0x1.6c16c16c15773p-10;
    p = p * x + 0x1.111111110f642p-7;
    p = p * x + 0x1.5555555555557p-5;
    p = p * x + 0x1.5555555555559p-3;
    p = p * x + 0x1p-1;
    return p;
}

/* error 2^-59.4 */
static inline double gt_series_log_f64(double x)
{
    double p = 0x1.2f17efa94bb3cp-3;
    p = p * x + 0x1.399fd376aebe3p-3;
    p = p * x + 0x1.746652b1500b2p-3;
    p = p * x + 0x1.c71c51a26870dp-3;
    p = p * x + 0x1.249249427c47dp-2;
    p = p * x + 0x1.999999997f26cp-2;
    p = p * x + 0x1.5555555555595p-1;
    return p;
}

/* error 2^-55.1 */
static inline double gt_series_tanh_f64(double x)
{
    double p = 0x1.a589bbac9af93p-15;
    p = p * x - 0x1.b6b1fe33fc9e8p-13;
    p = p * x + 0x1.2f46838564936p-11;
    p = p * x - 0x1.7ce42c125888ap-10;
    p = p * x + 0x1.d6c4885513b22p-9;
    p = p * x - 0x1.226dd09b82077p-7;
    p = p * x + 0x1.664f45487fb6fp-6;
    p = p * x - 0x1.ba1ba1aad5413p-5;
    p = p * x + 0x1.11111110ff158p-3;
    p = p * x - 0x1.5555555555469p-2;
    return p;
}

/* error 2^-57.9 */
static inline double gt_series_sin_f64(double x)
{
    double p = 0x1.5d8f1f3f89e72p-33;
    p = p * x - 0x1.ae5e57a5f7feap-26;
    p = p * x + 0x1.71de3563063a5p-19;
    p = p * x - 0x1.a01a019bf64fap-13;
    p = p * x + 0x1.111111110f775p-7;
    p = p * x - 0x1.5555555555548p-3;
    return p;
}

/* error 2^-64.1 */
static inline double gt_series_cos_f64(double x)
{
    double p = -0x1.8fa9264b27f3cp-37;
    p = p * x + 0x1.1ee9e0a72f418p-29;
    p = p * x - 0x1.27e4f7f80e871p-22;
    p = p * x + 0x1.a01a019c9697fp-16;
    p = p * x - 0x1.6c16c16c15046p-10;
    p = p * x + 0x1.555555555554bp-5;
    return p;
}

/* error 2^-56.2 */
static inline double gt_series_erf_f64(double x)
{
    double p = -0x1.23d51cdcd897bp-32;
    p = p * x + 0x1.b3ca1367860f7p-30;
    p = p * x - 0x1.5a1793391fa59p-28;
    p = p * x + 0x1.601c1e920c59p-26;
    p = p * x - 0x1.6b4e32bdb1d16p-23;
    p = p * x + 0x1.bae153e95bc82p-20;
    p = p * x - 0x1.f4e0b903a6382p-17;
    p = p * x + 0x1.f9a3b9686621p-14;
    p = p * x - 0x1.c02db7fd8995ap-11;
    p = p * x + 0x1.565bcd20d1781p-8;
    p = p * x - 0x1.b82ce312f28f3p-6;
    p = p * x + 0x1.ce2f21a04414ep-4;
    p = p * x - 0x1.812746b037a07p-2;
    p = p * x + 0x1.06eba8214db69p-3;
    return p;
}

/* error 2^-58.3 */
static inline double gt_series_minus_log_erfc_f64(double x)
{
    double p = -0x1.7bf3c04b43863p-40;
    p = p * x + 0x1.09ab70249d177p-34;
    p = p * x - 0x1.5bf2fa1ab0097p-30;
    p = p * x + 0x1.1b5368da650e1p-26;
    p = p * x - 0x1.40d0a936d1fffp-23;
    p = p * x + 0x1.0b008333dea77p-20;
    p = p * x - 0x1.4f3c1357184f9p-18;
    p = p * x + 0x1.3d9bf5ffacf6p-16;
    p = p * x - 0x1.b3c1bca69117ep-15;
    p = p * x + 0x1.69192981b1324p-14;
    p = p * x + 0x1.109d6b6273afp-16;
    p = p * x - 0x1.3a7b35238bf3ep-11;
    p = p * x + 0x1.c3553b4bef23dp-10;
    p = p * x - 0x1.f3b64540526efp-13;
    p = p * x - 0x1.390c191e3d8c3p-6;
    p = p * x + 0x1.a4e9676b0f3c4p-4;
    p = p * x + 0x1.45f3835f9253dp-1;
    p = p * x + 0x1.20dd684047692p0;
    p = p * x + 0x1.33c6edb99d0dep-24;
    return p;
}

/* error 2^-36.4 */
static inline double gt_series_atan_f64(double x)
{
    double p = 0x1.c9e46e94b53ep-12;
    p = p * x - 0x1.b0d3ad4af9ce9p-9;
    p = p * x + 0x1.7fdab7901ba2dp-7;
    p = p * x - 0x1.b15a32f6ba036p-6;
    p = p * x + 0x1.6923464233032p-5;
    p = p * x - 0x1.efb0222b52ccep-5;
    p = p * x + 0x1.33862463d1669p-4;
    p = p * x - 0x1.72ce7bbed0788p-4;
    p = p * x + 0x1.c6e6f8e0fcbe2p-4;
    p = p * x - 0x1.2490266246fb8p-3;
    p = p * x + 0x1.99998367b3f74p-3;
    p = p * x - 0x1.5555552c90217p-2;
    return p;
}

/* error 2^-39.8 */
static inline double gt_series_asin_f64(double x)
{
    double p = 0x1.0d2e5d566bfap-5;
    p = p * x + 0x1.09e2c8d653708p-9;
    p = p * x + 0x1.51f776814388p-6;
    p = p * x + 0x1.664e3b45d52a8p-6;
    p = p * x + 0x1.f2809b38b70f5p-6;
    p = p * x + 0x1.6db262e736a69p-5;
    p = p * x + 0x1.3333407c4d4b4p-4;
    p = p * x + 0x1.55555547d2c9ep-3;
    return p;
}

/* error 2^-36.4 */
static inline double gt_series_scaled_erfc_f64(double x)
{
    double p = 0x1.a536a1958b7c8p-20;
    p = p * x + 0x1.29887bbd4eb65p-19;
    p = p * x - 0x1.6fe8b926411ffp-17;
    p = p * x - 0x1.ceb6f458e1c5dp-16;
    p = p * x + 0x1.acf00cb4824b2p-16;
    p = p * x + 0x1.6d3ba5bdef4cdp-13;
    p = p * x + 0x1.7330de59cfad4p-15;
    p = p * x - 0x1.016607936a367p-10;
    p = p * x - 0x1.bc37a75aba137p-11;
    p = p * x + 0x1.ca95bd77ee0fdp-8;
    p = p * x + 0x1.e9478493003a8p-9;
    p = p * x - 0x1.437f0b465b489p-4;
    p = p * x + 0x1.eeea7db83df11p-3;
    p = p * x - 0x1.b57034efdca9bp-2;
    p = p * x + 0x1.058671b53911bp-2;
    return p;
}

#endif

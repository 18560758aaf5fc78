/* Polynomials behind the functions of functions.h, written by tools/minimax.py: do not edit. Each
 * comment gives the largest weighted error; what is approximated, where and with which weight
 * stands in that script. */
#ifndef GT_KERNELS_POLYNOMIALS_H
#define GT_KERNELS_POLYNOMIALS_H

/* Some stand as lists of their coefficients, for functions_wide_template.h takes them too. */
#define GT_FIRST_F32(c) float p = c;
#define GT_NEXT_F32(c)  p = gt_fma_f32(p, x, c);
#define GT_FIRST_F64(c) double p = c;
#define GT_NEXT_F64(c)  p = gt_fma_f64(p, x, c);

/* error 2^-26.1 */
#define GT_SERIES_EXP_F32(FIRST, NEXT)                                                             \
    FIRST(0x1.6d438cp-10f)                                                                         \
    NEXT(0x1.122a2p-7f)                                                                            \
    NEXT(0x1.5554fp-5f)                                                                            \
    NEXT(0x1.5554acp-3f)                                                                           \
    NEXT(0x1p-1f)
GT_INLINE float gt_series_exp_f32(float x)
{
    GT_SERIES_EXP_F32(GT_FIRST_F32, GT_NEXT_F32)
    return p;
}

/* error 2^-30.2 */
GT_INLINE float gt_series_log_f32(float x)
{
    float p = 0x1.31e1a8p-2f;
    p = gt_fma_f32(p, x, 0x1.995edp-2f);
    p = gt_fma_f32(p, x, 0x1.55557ap-1f);
    return p;
}

/* error 2^-29.7 */
#define GT_SERIES_TANH_F32(FIRST, NEXT)                                                            \
    FIRST(-0x1.986102p-8f)                                                                         \
    NEXT(0x1.58c83ap-6f)                                                                           \
    NEXT(-0x1.b91bc8p-5f)                                                                          \
    NEXT(0x1.110ce4p-3f)                                                                           \
    NEXT(-0x1.55554ap-2f)
GT_INLINE float gt_series_tanh_f32(float x)
{
    GT_SERIES_TANH_F32(GT_FIRST_F32, GT_NEXT_F32)
    return p;
}

/* error 2^-28.0 */
GT_INLINE float gt_series_sin_f32(float x)
{
    float p = -0x1.9955aep-13f;
    p = gt_fma_f32(p, x, 0x1.11077cp-7f);
    p = gt_fma_f32(p, x, -0x1.555546p-3f);
    return p;
}

/* error 2^-33.1 */
GT_INLINE float gt_series_cos_f32(float x)
{
    float p = 0x1.99eac2p-16f;
    p = gt_fma_f32(p, x, -0x1.6c0c2ep-10f);
    p = gt_fma_f32(p, x, 0x1.55554ap-5f);
    return p;
}

/* error 2^-29.9 */
GT_INLINE float gt_series_erf_f32(float x)
{
    float p = -0x1.6d1026p-11f;
    p = gt_fma_f32(p, x, 0x1.50db54p-8f);
    p = gt_fma_f32(p, x, -0x1.b7d582p-6f);
    p = gt_fma_f32(p, x, 0x1.ce2caap-4f);
    p = gt_fma_f32(p, x, -0x1.81274p-2f);
    p = gt_fma_f32(p, x, 0x1.06eba8p-3f);
    return p;
}

/* error 2^-30.5 */
GT_INLINE float gt_series_minus_log_erfc_f32(float x)
{
    float p = 0x1.182c86p-16f;
    p = gt_fma_f32(p, x, -0x1.94321cp-12f);
    p = gt_fma_f32(p, x, 0x1.027068p-8f);
    p = gt_fma_f32(p, x, -0x1.923194p-6f);
    p = gt_fma_f32(p, x, 0x1.b81512p-4f);
    p = gt_fma_f32(p, x, 0x1.44a43ap-1f);
    p = gt_fma_f32(p, x, 0x1.211204p0f);
    p = gt_fma_f32(p, x, -0x1.cc832ap-14f);
    return p;
}

/* error 2^-61.7 */
#define GT_SERIES_EXP_F64(FIRST, NEXT)                                                             \
    FIRST(0x1.1f840ab1f87fcp-29)                                                                   \
    NEXT(0x1.af5f7e056c165p-26)                                                                    \
    NEXT(0x1.27e4d12ff642bp-22)                                                                    \
    NEXT(0x1.71ddf7e787cabp-19)                                                                    \
    NEXT(0x1.a01a01ab1a225p-16)                                                                    \
    NEXT(0x1.a01a01b00fcc5p-13)                                                                    \
    NEXT(0x1.6c16c16c15773p-10)                                                                    \
    NEXT(0x1.111111110f642p-7)                                                                     \
    NEXT(0x1.5555555555557p-5)                                                                     \
    NEXT(0x1.5555555555559p-3)                                                                     \
    NEXT(0x1p-1)
GT_INLINE double gt_series_exp_f64(double x)
{
    GT_SERIES_EXP_F64(GT_FIRST_F64, GT_NEXT_F64)
    return p;
}

/* error 2^-59.4 */
GT_INLINE double gt_series_log_f64(double x)
{
    double p = 0x1.2f17efa94bb3cp-3;
    p = gt_fma_f64(p, x, 0x1.399fd376aebe3p-3);
    p = gt_fma_f64(p, x, 0x1.746652b1500b2p-3);
    p = gt_fma_f64(p, x, 0x1.c71c51a26870dp-3);
    p = gt_fma_f64(p, x, 0x1.249249427c47dp-2);
    p = gt_fma_f64(p, x, 0x1.999999997f26cp-2);
    p = gt_fma_f64(p, x, 0x1.5555555555595p-1);
    return p;
}

/* error 2^-55.1 */
#define GT_SERIES_TANH_F64(FIRST, NEXT)                                                            \
    FIRST(0x1.a589bbac9af93p-15)                                                                   \
    NEXT(-0x1.b6b1fe33fc9e8p-13)                                                                   \
    NEXT(0x1.2f46838564936p-11)                                                                    \
    NEXT(-0x1.7ce42c125888ap-10)                                                                   \
    NEXT(0x1.d6c4885513b22p-9)                                                                     \
    NEXT(-0x1.226dd09b82077p-7)                                                                    \
    NEXT(0x1.664f45487fb6fp-6)                                                                     \
    NEXT(-0x1.ba1ba1aad5413p-5)                                                                    \
    NEXT(0x1.11111110ff158p-3)                                                                     \
    NEXT(-0x1.5555555555469p-2)
GT_INLINE double gt_series_tanh_f64(double x)
{
    GT_SERIES_TANH_F64(GT_FIRST_F64, GT_NEXT_F64)
    return p;
}

/* error 2^-57.9 */
GT_INLINE double gt_series_sin_f64(double x)
{
    double p = 0x1.5d8f1f3f89e72p-33;
    p = gt_fma_f64(p, x, -0x1.ae5e57a5f7feap-26);
    p = gt_fma_f64(p, x, 0x1.71de3563063a5p-19);
    p = gt_fma_f64(p, x, -0x1.a01a019bf64fap-13);
    p = gt_fma_f64(p, x, 0x1.111111110f775p-7);
    p = gt_fma_f64(p, x, -0x1.5555555555548p-3);
    return p;
}

/* error 2^-64.1 */
GT_INLINE double gt_series_cos_f64(double x)
{
    double p = -0x1.8fa9264b27f3cp-37;
    p = gt_fma_f64(p, x, 0x1.1ee9e0a72f418p-29);
    p = gt_fma_f64(p, x, -0x1.27e4f7f80e871p-22);
    p = gt_fma_f64(p, x, 0x1.a01a019c9697fp-16);
    p = gt_fma_f64(p, x, -0x1.6c16c16c15046p-10);
    p = gt_fma_f64(p, x, 0x1.555555555554bp-5);
    return p;
}

/* error 2^-55.9 */
GT_INLINE double gt_series_erf_f64(double x)
{
    double p = 0x1.7a06c60841882p-27;
    p = gt_fma_f64(p, x, -0x1.535b9feb043e8p-23);
    p = gt_fma_f64(p, x, 0x1.b8991e7bc1618p-20);
    p = gt_fma_f64(p, x, -0x1.f4bbaf19a64d1p-17);
    p = gt_fma_f64(p, x, 0x1.f9a2266f4419dp-14);
    p = gt_fma_f64(p, x, -0x1.c02dac9fd89cp-11);
    p = gt_fma_f64(p, x, 0x1.565bccebf6f49p-8);
    p = gt_fma_f64(p, x, -0x1.b82ce311c7aefp-6);
    p = gt_fma_f64(p, x, 0x1.ce2f21a04075dp-4);
    p = gt_fma_f64(p, x, -0x1.812746b0379b6p-2);
    p = gt_fma_f64(p, x, 0x1.06eba8214db68p-3);
    return p;
}

/* error 2^-57.1 */
GT_INLINE double gt_series_minus_log_erfc_f64(double x)
{
    double p = -0x1.e42bbce40abddp-40;
    p = gt_fma_f64(p, x, 0x1.4aef886dad4bfp-34);
    p = gt_fma_f64(p, x, -0x1.a7ed3421ab83p-30);
    p = gt_fma_f64(p, x, 0x1.51eef55ab5744p-26);
    p = gt_fma_f64(p, x, -0x1.771e388a593e1p-23);
    p = gt_fma_f64(p, x, 0x1.32aaf8a565944p-20);
    p = gt_fma_f64(p, x, -0x1.7b5836b7eb659p-18);
    p = gt_fma_f64(p, x, 0x1.63c8e4a36b9f2p-16);
    p = gt_fma_f64(p, x, -0x1.e7e3a67e28ab5p-15);
    p = gt_fma_f64(p, x, 0x1.a1af3a87175afp-14);
    p = gt_fma_f64(p, x, -0x1.db81f85c998e9p-18);
    p = gt_fma_f64(p, x, -0x1.29a929485bcb9p-11);
    p = gt_fma_f64(p, x, 0x1.ba3575ca2477dp-10);
    p = gt_fma_f64(p, x, -0x1.b61113108efbap-13);
    p = gt_fma_f64(p, x, -0x1.395b623d480c8p-6);
    p = gt_fma_f64(p, x, 0x1.a4f2c571d8306p-4);
    p = gt_fma_f64(p, x, 0x1.45f3215260322p-1);
    p = gt_fma_f64(p, x, 0x1.20dd7228aa633p0);
    p = gt_fma_f64(p, x, 0x1.158167f8bc812p-26);
    return p;
}

/* error 2^-27.8 */
#define GT_SERIES_NORMAL_TAIL_F32(FIRST, NEXT)                                                     \
    FIRST(-0x1.55c2aap-6f)                                                                         \
    NEXT(0x1.d1bad6p-4f)                                                                           \
    NEXT(-0x1.d968eap-3f)                                                                          \
    NEXT(0x1.90b048p-3f)                                                                           \
    NEXT(-0x1.523b5ep-4f)                                                                          \
    NEXT(0x1.90a10ep-4f)                                                                           \
    NEXT(0x1.3ecf1ep-4f)                                                                           \
    NEXT(0x1.c3fedp-4f)                                                                            \
    NEXT(0x1.e9b634p-4f)                                                                           \
    NEXT(0x1.ea3d46p-4f)
GT_INLINE float gt_series_normal_tail_f32(float x)
{
    GT_SERIES_NORMAL_TAIL_F32(GT_FIRST_F32, GT_NEXT_F32)
    return p;
}

/* error 2^-32.0 */
GT_INLINE double gt_series_short_exp_f64(double x)
{
    double p = 0x1.a171ecaddd95fp-13;
    p = gt_fma_f64(p, x, 0x1.6d75ea07736c3p-10);
    p = gt_fma_f64(p, x, 0x1.1110b06ff9093p-7);
    p = gt_fma_f64(p, x, 0x1.5554ac2f03635p-5);
    p = gt_fma_f64(p, x, 0x1.555555745a84dp-3);
    p = gt_fma_f64(p, x, 0x1.00000028ba2a7p-1);
    return p;
}

/* error 2^-44.9 */
GT_INLINE double gt_series_short_log_f64(double x)
{
    double p = 0x1.912975ceb2baap-3;
    p = gt_fma_f64(p, x, 0x1.c6299f55c160ap-3);
    p = gt_fma_f64(p, x, 0x1.249416c16f1ep-2);
    p = gt_fma_f64(p, x, 0x1.9999969c33a83p-2);
    p = gt_fma_f64(p, x, 0x1.555555562433fp-1);
    return p;
}

/* error 2^-36.4 */
GT_INLINE double gt_series_atan_f64(double x)
{
    double p = 0x1.c9e46e94b53ep-12;
    p = gt_fma_f64(p, x, -0x1.b0d3ad4af9ce9p-9);
    p = gt_fma_f64(p, x, 0x1.7fdab7901ba2dp-7);
    p = gt_fma_f64(p, x, -0x1.b15a32f6ba036p-6);
    p = gt_fma_f64(p, x, 0x1.6923464233032p-5);
    p = gt_fma_f64(p, x, -0x1.efb0222b52ccep-5);
    p = gt_fma_f64(p, x, 0x1.33862463d1669p-4);
    p = gt_fma_f64(p, x, -0x1.72ce7bbed0788p-4);
    p = gt_fma_f64(p, x, 0x1.c6e6f8e0fcbe2p-4);
    p = gt_fma_f64(p, x, -0x1.2490266246fb8p-3);
    p = gt_fma_f64(p, x, 0x1.99998367b3f74p-3);
    p = gt_fma_f64(p, x, -0x1.5555552c90217p-2);
    return p;
}

/* error 2^-39.8 */
GT_INLINE double gt_series_asin_f64(double x)
{
    double p = 0x1.0d2e5d566bfap-5;
    p = gt_fma_f64(p, x, 0x1.09e2c8d653708p-9);
    p = gt_fma_f64(p, x, 0x1.51f776814388p-6);
    p = gt_fma_f64(p, x, 0x1.664e3b45d52a8p-6);
    p = gt_fma_f64(p, x, 0x1.f2809b38b70f5p-6);
    p = gt_fma_f64(p, x, 0x1.6db262e736a69p-5);
    p = gt_fma_f64(p, x, 0x1.3333407c4d4b4p-4);
    p = gt_fma_f64(p, x, 0x1.55555547d2c9ep-3);
    return p;
}

/* error 2^-36.4 */
GT_INLINE double gt_series_scaled_erfc_f64(double x)
{
    double p = 0x1.a536a1958b7c8p-20;
    p = gt_fma_f64(p, x, 0x1.29887bbd4eb65p-19);
    p = gt_fma_f64(p, x, -0x1.6fe8b926411ffp-17);
    p = gt_fma_f64(p, x, -0x1.ceb6f458e1c5dp-16);
    p = gt_fma_f64(p, x, 0x1.acf00cb4824b2p-16);
    p = gt_fma_f64(p, x, 0x1.6d3ba5bdef4cdp-13);
    p = gt_fma_f64(p, x, 0x1.7330de59cfad4p-15);
    p = gt_fma_f64(p, x, -0x1.016607936a367p-10);
    p = gt_fma_f64(p, x, -0x1.bc37a75aba137p-11);
    p = gt_fma_f64(p, x, 0x1.ca95bd77ee0fdp-8);
    p = gt_fma_f64(p, x, 0x1.e9478493003a8p-9);
    p = gt_fma_f64(p, x, -0x1.437f0b465b489p-4);
    p = gt_fma_f64(p, x, 0x1.eeea7db83df11p-3);
    p = gt_fma_f64(p, x, -0x1.b57034efdca9bp-2);
    p = gt_fma_f64(p, x, 0x1.058671b53911bp-2);
    return p;
}

/* error 2^-57.6 */
GT_INLINE double gt_series_near_atan_f64(double x)
{
    double p = -0x1.09f88195479eap-6;
    p = gt_fma_f64(p, x, 0x1.2ad20f970c581p-5);
    p = gt_fma_f64(p, x, -0x1.9781493ee4942p-5);
    p = gt_fma_f64(p, x, 0x1.ddd5bf55ec25cp-5);
    p = gt_fma_f64(p, x, -0x1.10d5612c4a9bfp-4);
    p = gt_fma_f64(p, x, 0x1.3b0f1009af912p-4);
    p = gt_fma_f64(p, x, -0x1.745cda925ba1p-4);
    p = gt_fma_f64(p, x, 0x1.c71c6fcfd78d2p-4);
    p = gt_fma_f64(p, x, -0x1.2492491fd085p-3);
    p = gt_fma_f64(p, x, 0x1.999999998e10ap-3);
    p = gt_fma_f64(p, x, -0x1.5555555555507p-2);
    return p;
}

/* error 2^-59.7 */
GT_INLINE double gt_series_near_asin_f64(double x)
{
    double p = 0x1.0af379e651188p-5;
    p = gt_fma_f64(p, x, -0x1.56eedd53cbf7dp-6);
    p = gt_fma_f64(p, x, 0x1.62daa950786bap-6);
    p = gt_fma_f64(p, x, 0x1.e878ce55107adp-9);
    p = gt_fma_f64(p, x, 0x1.6111c74a88316p-7);
    p = gt_fma_f64(p, x, 0x1.758d268ee4417p-7);
    p = gt_fma_f64(p, x, 0x1.ca1ea227054eep-7);
    p = gt_fma_f64(p, x, 0x1.1c49f9e9a13dep-6);
    p = gt_fma_f64(p, x, 0x1.6e8bde5eef66dp-6);
    p = gt_fma_f64(p, x, 0x1.f1c71a992177dp-6);
    p = gt_fma_f64(p, x, 0x1.6db6db7209136p-5);
    p = gt_fma_f64(p, x, 0x1.333333332e1b5p-4);
    p = gt_fma_f64(p, x, 0x1.5555555555577p-3);
    return p;
}

/* error 2^-62.5 */
GT_INLINE double gt_series_near_sinh_f64(double x)
{
    double p = 0x1.3722d204747bdp-48;
    p = gt_fma_f64(p, x, 0x1.aafcbc0cd2addp-41);
    p = gt_fma_f64(p, x, 0x1.612a600d2d22bp-33);
    p = gt_fma_f64(p, x, 0x1.ae644bb75f1b1p-26);
    p = gt_fma_f64(p, x, 0x1.71de3a6049c9fp-19);
    p = gt_fma_f64(p, x, 0x1.a01a01a00df5fp-13);
    p = gt_fma_f64(p, x, 0x1.111111111117bp-7);
    p = gt_fma_f64(p, x, 0x1.5555555555555p-3);
    return p;
}

/* error 2^-66.1 */
GT_INLINE double gt_series_log_rest_f64(double x)
{
    double p = 0x1.0e614a7ab0ceap-4;
    p = gt_fma_f64(p, x, 0x1.0f7c6f79aa941p-4);
    p = gt_fma_f64(p, x, 0x1.3b1f14b1a9783p-4);
    p = gt_fma_f64(p, x, 0x1.745ce8f051fa9p-4);
    p = gt_fma_f64(p, x, 0x1.c71c72306f502p-4);
    p = gt_fma_f64(p, x, 0x1.2492492455679p-3);
    p = gt_fma_f64(p, x, 0x1.9999999999b48p-3);
    return p;
}

/* error 2^-61.2 */
GT_INLINE double gt_series_bounded_erfc_f64(double x)
{
    double p = 0x1.e155022f239b9p-29;
    p = gt_fma_f64(p, x, -0x1.6c711f5c618f2p-27);
    p = gt_fma_f64(p, x, -0x1.831b0be719be2p-26);
    p = gt_fma_f64(p, x, 0x1.c5f640da7c78ep-24);
    p = gt_fma_f64(p, x, 0x1.58a276a8ddf9dp-24);
    p = gt_fma_f64(p, x, -0x1.b968fb657ba6dp-21);
    p = gt_fma_f64(p, x, 0x1.3748e18b3604p-22);
    p = gt_fma_f64(p, x, 0x1.7f1143e242986p-18);
    p = gt_fma_f64(p, x, -0x1.787ddcbebb9dcp-17);
    p = gt_fma_f64(p, x, -0x1.99578dc316b7ap-16);
    p = gt_fma_f64(p, x, 0x1.3be0235d264d9p-13);
    p = gt_fma_f64(p, x, -0x1.a1df3023d2475p-13);
    p = gt_fma_f64(p, x, -0x1.8d4a98eca4b3dp-11);
    p = gt_fma_f64(p, x, 0x1.49c67291324c2p-8);
    p = gt_fma_f64(p, x, -0x1.09623885cdbfbp-6);
    p = gt_fma_f64(p, x, 0x1.3079edf665efdp-5);
    p = gt_fma_f64(p, x, -0x1.0fb06dfe46c63p-4);
    p = gt_fma_f64(p, x, 0x1.7fee004e1303dp-4);
    p = gt_fma_f64(p, x, -0x1.9ddb23c3e91e4p-4);
    p = gt_fma_f64(p, x, 0x1.16ecefcfa5352p-4);
    p = gt_fma_f64(p, x, 0x1.f7f5df66fd7cfp-7);
    p = gt_fma_f64(p, x, -0x1.1df1ad154a28ep-3);
    return p;
}

#endif
